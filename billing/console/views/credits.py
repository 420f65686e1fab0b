"""Credits and their ledger."""

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.credits import credits_page, movements_page
from billing.console.pages.ledger import BadCursor, Position, read_cursor
from billing.console.rendering import is_swap, render_page
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_VIEW)
def credits_overview(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Balance, grants and movements; `?before=` continues the movements, for a swap as rows alone."""
    before = _position(request.GET.get("before", ""))
    if is_swap(request):
        page = movements_page(member.account, before=before)
        return render_page(request, member, "console/credits/_ledger.html", page)
    return render_page(request, member, "console/credits.html", credits_page(member.account, now(), before=before))


def _position(cursor: str) -> Position | None:
    try:
        return read_cursor(cursor) if cursor else None
    except BadCursor:
        raise Http404 from None
