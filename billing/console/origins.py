"""Where forms may lead: the pages that Stripe hosts; and the addresses that it sends people back to (S2, S3)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from billing.console.access import ConsoleRequest
from billing.stripe_sync.client import is_configured

_HOSTED = ("https://checkout.stripe.com", "https://billing.stripe.com", "https://invoice.stripe.com")


def payment_origins() -> list[str]:
    """What the content security policy adds to `form-action`: a browser refuses a form's redirect to anywhere else.

    The host that stands in for Stripe serves these pages too.
    """
    if not is_configured():
        return []
    host = getattr(settings, "STRIPE_API_HOST", None)
    if not host:
        return list(_HOSTED)
    parts = urlsplit(host)
    return [f"{parts.scheme}://{parts.netloc}"]


def own_address(request: ConsoleRequest, view: str, *arguments: object) -> str:
    """A page of the console with its origin: the one that the person is at, if people may be sent back to it."""
    here = f"{request.scheme}://{request.get_host()}"
    origin = here if here in settings.BILLING_RETURN_ORIGINS else settings.QUAESTOR_ORIGIN
    return f"{origin}{reverse(view, args=arguments)}"
