"""Reading from an address which period and workspace a usage page is asked for."""

from datetime import datetime

from django.http import Http404

from billing.console.access import ConsoleRequest, Member
from billing.console.pages.usage_choice import Choice, UnknownChoice, choose
from billing.subscriptions.errors import NoActivePlan


def chosen(request: ConsoleRequest, member: Member, at: datetime) -> Choice | None:
    """`?period=` is `current`, `previous` or the day that a period begins on, `?workspace=` a slug; else 404.

    None for an account that never had a plan, and so has no periods.
    """
    period, workspace = request.GET.get("period", ""), request.GET.get("workspace", "")
    try:
        return choose(member.account, at, period=period, workspace=workspace)
    except UnknownChoice:
        raise Http404 from None
    except NoActivePlan:
        return None
