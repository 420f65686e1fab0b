"""Credits and their ledger."""

from uuid import uuid4

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.credits import credits_page, movements_page
from billing.console.pages.ledger import BadCursor, Position, read_cursor
from billing.console.pages.top_ups import SUGGESTED, TopUpPanel, top_up_panel
from billing.console.payment_forms import TopUpForm
from billing.console.rendering import is_swap, render_page
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def credits_overview(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Balance, grants and movements; `?before=` continues the movements, for a swap as rows alone.

    `?amount=` fills in the form that buys credits.
    """
    before = _position(request.GET.get("before", ""))
    if is_swap(request):
        movements = movements_page(member.account, before=before)
        return render_page(request, member, "console/credits/_ledger.html", movements)
    page = credits_page(member.account, now(), top_up=_top_up(request, member), before=before)
    return render_page(request, member, "console/credits.html", page)


def _top_up(request: ConsoleRequest, member: Member) -> TopUpPanel | None:
    if Permission.BILLING_MANAGE not in member.permissions:
        return None
    amount = request.GET.get("amount") or SUGGESTED
    form = TopUpForm({"amount": amount}, currency=member.account.currency)
    return top_up_panel(member.account, form, key=str(uuid4()))


def _position(cursor: str) -> Position | None:
    try:
        return read_cursor(cursor) if cursor else None
    except BadCursor:
        raise Http404 from None
