"""What the views of webhooks share: whose endpoints they are about, and who may call them (N1)."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.lookups import id_named, nothing_here
from billing.api.permissions import HasScope, OfWholeTenant, caller_of
from billing.api.views.base import ApiView
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import find_endpoint
from tenants.permissions import Permission

MANAGE = (Permission.TENANT_MANAGE,)


class WebhooksOfWholeTenant(OfWholeTenant):
    """Webhooks tell of everything in the tenant."""

    what = "webhooks"


class WebhookView(ApiView):
    """A view for API keys of the whole tenant that have the scope tenant.manage."""

    permission_classes = (HasScope, WebhooksOfWholeTenant)

    def handle_exception(self, exc: Exception) -> Response:
        """What the tenant does not have is not found, whether or not somebody else has it."""
        unknown = isinstance(exc, WebhookEndpoint.DoesNotExist | WebhookDelivery.DoesNotExist)
        return super().handle_exception(nothing_here() if unknown else exc)


def endpoint_named(text: str) -> UUID:
    """The id of an endpoint in an address. Raises the problem not-found."""
    return id_named("whe", text)


def delivery_named(text: str) -> UUID:
    """The id of a delivery in an address. Raises the problem not-found."""
    return id_named("whd", text)


def endpoint_of(request: Request, text: str) -> WebhookEndpoint:
    """The caller's endpoint. Raises the problem not-found, and WebhookEndpoint.DoesNotExist."""
    return find_endpoint(caller_of(request).tenant_id, endpoint_named(text))
