"""Webhook endpoints: the list, and the form for another one, whose secret is shown once (N1)."""

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.webhooks.cards import endpoint_card
from billing.console.pages.webhooks.overview import AddPage, webhooks_page
from billing.console.rendering import render_page
from billing.console.webhook_forms import EndpointForm, refuse
from billing.core.problems import Problem
from billing.notifications.services.create_endpoint import create_endpoint
from tenants.permissions import Permission
from tenants.services.record_audit import Actor


@require_safe
@member_page(Permission.TENANT_MANAGE)
def webhooks(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Every endpoint with its latest delivery."""
    return render_page(request, member, "console/webhooks.html", webhooks_page(member.tenant.id))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.TENANT_MANAGE)
def add(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The form; a POST makes the endpoint and shows its secret, or answers 422 with the form."""
    if request.method != "POST":
        return _answer(request, member, AddPage(EndpointForm()))
    form = EndpointForm(request.POST)
    page = _created(member, form) if form.is_valid() else None
    return _answer(request, member, page or AddPage(form), status=200 if page else 422)


@sensitive_variables()
def _created(member: Member, form: EndpointForm) -> AddPage | None:
    """None where it was refused; the form says why."""
    try:
        endpoint, secret = create_endpoint(
            tenant_id=member.tenant.id,
            url=form.cleaned_data["url"],
            description=form.cleaned_data["description"],
            event_types=form.chosen(),
            actor=Actor(user_id=member.user.id),
            at=now(),
        )
    except Problem as problem:
        refuse(form, problem)
        return None
    return AddPage(EndpointForm(), endpoint_card(endpoint), secret.reveal())


@sensitive_variables()
def _answer(request: ConsoleRequest, member: Member, page: AddPage, *, status: int = 200) -> HttpResponse:
    fragment = "console/webhooks/_add.html"
    response = render_page(request, member, "console/webhooks/add.html", page, fragment=fragment, status=status)
    if page.secret:
        response["Cache-Control"] = "no-store"
    return response
