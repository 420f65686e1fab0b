"""A delivery's own page, sending it again, and test events, whose result appears by itself (N1)."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.webhooks.delivery import MAX_LOOKS, delivery_page
from billing.console.rendering import is_swap, render_page
from billing.console.views.webhooks.endpoint import found
from billing.core.problems import Problem
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import find_delivery
from billing.notifications.services.redeliver import redeliver
from billing.notifications.services.send_test_event import send_test_event
from tenants.permissions import Permission
from tenants.services.record_audit import Actor

PAGE = "console/webhooks/delivery.html"
_SENT = "webhook-sent"  # the log beside the result looks again when it hears this
_TEST, _RESULT = "console/webhooks/_test_result.html", "console/webhooks/_result.html"


@require_safe
@member_page(Permission.TENANT_MANAGE)
def delivery(request: ConsoleRequest, member: Member, endpoint_id: UUID, delivery_id: UUID) -> HttpResponse:
    """The page, which asks for its result again by `?looks=` while that is awaited; 404 for another tenant's.

    `?part=test` asks for the short result beside the button of test events.
    """
    endpoint = found(member, endpoint_id)
    page = delivery_page(endpoint, _delivery(endpoint, delivery_id), now(), looks=_looks(request.GET.get("looks", "")))
    if request.GET.get("part") != "test":
        return render_page(request, member, PAGE, page, fragment=_RESULT)
    response = render_page(request, member, PAGE, page, fragment=_TEST)
    return trigger_client_event(response, _SENT) if page.attempts else response


@require_POST
@member_page(Permission.TENANT_MANAGE)
def again(request: ConsoleRequest, member: Member, endpoint_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Send it once more, under the same id."""
    endpoint = found(member, endpoint_id)
    _delivery(endpoint, delivery_id)
    try:
        redeliver(
            tenant_id=member.tenant.id,
            endpoint_id=endpoint_id,
            delivery_id=delivery_id,
            actor=Actor(user_id=member.user.id),
            at=now(),
        )
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, "It is sent again.")
    return redirect("console:webhook_delivery", endpoint_id, delivery_id)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def test(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """Send a test event. For a swap its result, which is awaited there; else its delivery's page."""
    endpoint, at = found(member, endpoint_id), now()
    try:
        sent = send_test_event(
            tenant_id=member.tenant.id, endpoint_id=endpoint_id, actor=Actor(user_id=member.user.id), at=at
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        url = reverse("console:webhook", args=[endpoint_id])
        return HttpResponseClientRedirect(url) if is_swap(request) else redirect(url)
    if not is_swap(request):
        return redirect("console:webhook_delivery", endpoint_id, sent.id)
    page = delivery_page(endpoint, _delivery(endpoint, sent.id), at)
    return trigger_client_event(render_page(request, member, _TEST, page), _SENT)


def _delivery(endpoint: WebhookEndpoint, delivery_id: UUID) -> WebhookDelivery:
    try:
        return find_delivery(endpoint, delivery_id)
    except WebhookDelivery.DoesNotExist:
        raise Http404 from None


def _looks(text: str) -> int:
    return min(int(text), MAX_LOOKS) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
