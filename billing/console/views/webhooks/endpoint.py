"""An endpoint's own page, and what can be done with it (N1)."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.webhooks.cards import endpoint_card
from billing.console.pages.webhooks.endpoint import EndpointPage, endpoint_page, log_of
from billing.console.rendering import is_swap, render_page
from billing.console.webhook_forms import DeliveryFilter, EndpointForm, RotationForm, refuse
from billing.core.ids import InvalidId, decode_id
from billing.core.problems import Problem
from billing.notifications.models import WebhookEndpoint
from billing.notifications.queries import find_endpoint
from billing.notifications.services.change_endpoint import change_endpoint
from billing.notifications.services.disable_endpoint import disable_endpoint
from billing.notifications.services.enable_endpoint import enable_endpoint
from billing.notifications.services.remove_endpoint import remove_endpoint
from billing.notifications.services.rotate_secret import rotate_secret
from tenants.permissions import Permission
from tenants.services.record_audit import Actor

PAGE = "console/webhooks/endpoint.html"


@require_safe
@member_page(Permission.TENANT_MANAGE)
def webhook(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """The page; for a swap the log alone, or with `?before=` further rows of it. 404 for another tenant's."""
    endpoint, choice, before = found(member, endpoint_id), DeliveryFilter(request.GET), _position(request)
    if is_swap(request):
        log = log_of(endpoint, choice, before=before)
        fragment = "console/webhooks/_rows.html" if before is not None else "console/webhooks/_log.html"
        return render_page(request, member, fragment, {"card": endpoint_card(endpoint), "log": log})
    return render_page(request, member, PAGE, endpoint_page(endpoint, choice=choice, before=before))


@require_POST
@member_page(Permission.TENANT_MANAGE)
def change(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """Another address, description or choice of events; 422 with the form where that is refused."""
    endpoint, form = found(member, endpoint_id), EndpointForm(request.POST)
    if form.is_valid():
        try:
            change_endpoint(
                tenant_id=member.tenant.id,
                endpoint_id=endpoint_id,
                url=form.cleaned_data["url"],
                description=form.cleaned_data["description"],
                event_types=form.chosen(),
                actor=_actor(member),
                at=now(),
            )
        except Problem as problem:
            refuse(form, problem)
        else:
            messages.success(request, "Saved.")
            return redirect("console:webhook", endpoint_id)
    return render_page(request, member, PAGE, endpoint_page(endpoint, settings=form), status=422)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def switch(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """Disable the endpoint, or enable it again."""
    card, enabled = endpoint_card(found(member, endpoint_id)), request.POST.get("enabled") == "1"
    act: Callable[..., object] = enable_endpoint if enabled else disable_endpoint
    try:
        act(tenant_id=member.tenant.id, endpoint_id=endpoint_id, actor=_actor(member), at=now())
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, f"“{card.name}” is {'enabled' if enabled else 'disabled'}.")
    return redirect("console:webhook", endpoint_id)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def remove(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """Remove the endpoint for good."""
    card = endpoint_card(found(member, endpoint_id))
    remove_endpoint(tenant_id=member.tenant.id, endpoint_id=endpoint_id, actor=_actor(member), at=now())
    messages.success(request, f"“{card.name}” is removed, and its secret erased.")
    return redirect("console:webhooks")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.TENANT_MANAGE)
@sensitive_variables()
def rotate(request: ConsoleRequest, member: Member, endpoint_id: UUID) -> HttpResponse:
    """Make a new secret and show it once; 422 with the form where it is refused. A GET comes from a reload."""
    endpoint = found(member, endpoint_id)
    if request.method != "POST":
        return redirect("console:webhook", endpoint_id)
    form, secret = RotationForm(request.POST), ""
    if form.is_valid():
        try:
            secret = _rotated(member, endpoint_id, form)
        except Problem as problem:
            refuse(form, problem)
    page = endpoint_page(found(member, endpoint_id) if secret else endpoint, rotation=form, secret=secret)
    return _with_secret(request, member, page)


@sensitive_variables()
def _rotated(member: Member, endpoint_id: UUID, form: RotationForm) -> str:
    secret = rotate_secret(
        tenant_id=member.tenant.id,
        endpoint_id=endpoint_id,
        overlap=form.overlap(),
        actor=_actor(member),
        at=now(),
    )
    return secret.reveal()


@sensitive_variables()
def _with_secret(request: ConsoleRequest, member: Member, page: EndpointPage) -> HttpResponse:
    fragment, status = "console/webhooks/_secret_panel.html", 200 if page.secret else 422
    response = render_page(request, member, PAGE, page, fragment=fragment, status=status)
    if page.secret:
        response["Cache-Control"] = "no-store"
    return response


def found(member: Member, endpoint_id: UUID) -> WebhookEndpoint:
    """The tenant's endpoint, else 404."""
    try:
        return find_endpoint(member.tenant.id, endpoint_id)
    except WebhookEndpoint.DoesNotExist:
        raise Http404 from None


def _actor(member: Member) -> Actor:
    return Actor(user_id=member.user.id)


def _position(request: ConsoleRequest) -> UUID | None:
    text = request.GET.get("before", "")
    try:
        return decode_id("whd", text) if text else None
    except InvalidId:
        raise Http404 from None
