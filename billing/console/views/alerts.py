"""Limits, own caps, overage and alerts: the page, and what members who manage billing change on it (P8, M9)."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import retarget

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.change_controls import change_controls
from billing.console.control_forms import CapsForm, ControlForm, EmailsForm, OverageForm
from billing.console.figures import format_money
from billing.console.pages.alerts import alerts_page, alerts_slice
from billing.console.pages.controls import cap_hints, overage_question, plan_limits
from billing.console.pages.ledger import BadCursor, Position, read_cursor
from billing.console.rendering import is_swap, render_page, without_plan
from billing.core.problems import Problem
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import terms_of
from tenants.permissions import Permission

PAGE, BODY = "console/alerts.html", "console/alerts/_body.html"
View = Callable[[ConsoleRequest, Member], HttpResponse]


def with_plan(view: View) -> View:
    """Answer the page of an account without a plan where the view finds none."""

    @wraps(view)
    def guarded(request: ConsoleRequest, member: Member) -> HttpResponse:
        try:
            return view(request, member)
        except NoActivePlan:
            return without_plan(request, member)

    return guarded


@require_safe
@member_page(Permission.BILLING_VIEW)
@with_plan
def alerts(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The page; for a swap with `?before=` further alerts as rows."""
    before = _position(request)
    if is_swap(request):
        sent = alerts_slice(member.account, before=before)
        return render_page(request, member, "console/alerts/_sent_rows.html", sent)
    return render_page(request, member, PAGE, alerts_page(member.account, now(), before=before))


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.BILLING_MANAGE)
@with_plan
def overage(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Ask whether executions past the limit shall cost up to the amount that is given; a POST says yes (P8).

    A price that has changed since the question was shown is asked about again.
    """
    at, is_answer = now(), request.method == "POST"
    form = OverageForm(request.POST if is_answer else request.GET, currency=member.account.currency)
    if not form.is_valid():
        return _refused(request, member, form, at, panel="overage")
    ceiling = form.cleaned_data["overage_ceiling"]
    try:
        question = overage_question(member.account, form, at, in_dialog=is_swap(request))
        if not is_answer or request.POST.get("price") != str(question.price):
            fragment = "console/alerts/_overage_question.html"
            return render_page(request, member, "console/alerts/overage.html", question, fragment=fragment)
        change_controls(member, {"overage_enabled": True, "overage_ceiling": ceiling}, at=at)
    except Problem as problem:
        form.refuse(problem)
        return _refused(request, member, form, at, panel="overage")
    most = format_money(ceiling, member.account.currency)
    messages.success(request, f"Saved. Executions past the limit run, for at most {most} in a billing period.")
    return redirect("console:alerts")


@require_POST
@member_page(Permission.BILLING_MANAGE)
@with_plan
def overage_off(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Pay for no more executions past the limit, from the next run on."""
    change_controls(member, {"overage_enabled": False}, at=now())
    messages.success(request, "Saved. Executions past the limit are refused from now on.")
    return redirect("console:alerts")


@require_http_methods(["GET", "POST"])
@member_page(Permission.BILLING_MANAGE)
@with_plan
def caps(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Save the caps of a day; a GET comes from a reload."""
    if request.method == "GET":
        return redirect("console:alerts")
    at = now()
    hints = cap_hints(terms_of(member.account.id, at), plan_limits(member.account, at))
    form = CapsForm(request.POST, currency=member.account.currency, hints=hints)
    return _save(request, member, form, at, panel="caps")


@require_http_methods(["GET", "POST"])
@member_page(Permission.BILLING_MANAGE)
@with_plan
def emails(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Save which e-mails are sent; a GET comes from a reload."""
    if request.method == "GET":
        return redirect("console:alerts")
    form = EmailsForm(request.POST, currency=member.account.currency)
    return _save(request, member, form, now(), panel="emails")


def _save(request: ConsoleRequest, member: Member, form: ControlForm, at: datetime, *, panel: str) -> HttpResponse:
    """Save a valid form: for a swap the page's body with the panel that says so, else the page itself."""
    if form.is_valid():
        try:
            change_controls(member, form.changes(), at=at)
        except Problem as problem:
            form.refuse(problem)
    if not form.is_valid():
        return _refused(request, member, form, at, panel=panel)
    if not is_swap(request):
        messages.success(request, "Saved.")
        return redirect("console:alerts")
    account = BillingAccount.objects.select_related("tenant").get(id=member.account.id)
    return render_page(request, member, BODY, alerts_page(account, at, saved=panel))


def _refused(request: ConsoleRequest, member: Member, form: ControlForm, at: datetime, *, panel: str) -> HttpResponse:
    """422 with the form as it was sent, its errors at their fields; into the page's body, whoever asked."""
    form.focus_on_error()
    page = alerts_page(member.account, at, forms={panel: form})
    response = render_page(request, member, PAGE, page, fragment=BODY, status=422)
    return retarget(response, "#alerts")


def _position(request: ConsoleRequest) -> Position | None:
    text = request.GET.get("before", "")
    try:
        return read_cursor(text) if text else None
    except BadCursor:
        raise Http404 from None
