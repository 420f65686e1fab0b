"""Invoices: the list of them (I1, I2)."""

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.invoices import FILTERS, invoice_slice, invoices_page
from billing.console.pages.ledger import BadCursor, read_cursor
from billing.console.rendering import is_swap, render_page
from billing.invoices.queries import Position
from tenants.permissions import Permission

_OTHER_POSITIONS = frozenset({"cursor", "page"})


@require_safe
@member_page(Permission.BILLING_VIEW)
def invoices(request: ConsoleRequest, member: Member) -> HttpResponse:
    """What was issued; `?status=` chooses by payment, `?before=` continues the list, for a swap as rows alone.

    404 for what other lists continue by: nobody should take the first rows for further ones.
    """
    status, before = request.GET.get("status", ""), _position(request.GET.get("before", ""))
    if status not in FILTERS or _OTHER_POSITIONS & request.GET.keys():
        raise Http404
    if is_swap(request):
        rows = invoice_slice(member.account, status=status, before=before)
        return render_page(request, member, "console/invoices/_rows.html", rows)
    open_to = [entry.account for entry in member.open_accounts if entry.account.tenant_id == member.tenant.id]
    others = [account for account in open_to if account.id != member.account.id]
    page = invoices_page(member.account, now(), status=status, before=before, others=others)
    return render_page(request, member, "console/invoices.html", page)


def _position(cursor: str) -> Position | None:
    try:
        return read_cursor(cursor) if cursor else None
    except BadCursor:
        raise Http404 from None
