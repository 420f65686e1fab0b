"""Who may see a page: a signed-in member of a tenant, at one of its billing accounts, with the page's permission."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from billing.console.queries import OpenAccount, accounts_open_to
from billing.subscriptions.models import BillingAccount
from tenants.models import Tenant, User
from tenants.permissions import Permission

CHOSEN_ACCOUNT = "console_account"  # the session's key; its value is checked against the memberships on every request


class ConsoleRequest(HttpRequest):
    """A request as the middleware leaves it."""

    htmx: HtmxDetails


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in person at the billing account that they look at."""

    user: User
    account: BillingAccount
    permissions: frozenset[Permission]
    open_accounts: tuple[OpenAccount, ...]

    @property
    def tenant(self) -> Tenant:
        return self.account.tenant


P = ParamSpec("P")
MemberView = Callable[Concatenate[ConsoleRequest, Member, P], HttpResponseBase]
View = Callable[Concatenate[ConsoleRequest, P], HttpResponseBase]


def member_page(permission: Permission) -> Callable[[MemberView[P]], View[P]]:
    """Let a view be called by members with the permission; it receives the member after the request.

    Everybody else: to the sign-in page, to a page that says that they belong nowhere, or 403.
    """

    def decorate(view: MemberView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: ConsoleRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_sign_in(request)
            open_accounts = accounts_open_to(request.user.id)
            if not open_accounts:
                return render(request, "console/no_account.html")
            chosen = _chosen(open_accounts, request.session.get(CHOSEN_ACCOUNT))
            if permission not in chosen.permissions:
                raise PermissionDenied
            member = Member(request.user, chosen.account, chosen.permissions, tuple(open_accounts))
            return view(request, member, *args, **kwargs)

        return guarded

    return decorate


def _to_sign_in(request: ConsoleRequest) -> HttpResponse:
    """A swap would put the sign-in page inside the page whose session has ended: the whole page goes there instead."""
    if request.htmx:
        return HttpResponseClientRedirect(redirect_to_login(request.htmx.current_url_abs_path or "/").url)
    return redirect_to_login(request.get_full_path())


def _chosen(open_accounts: list[OpenAccount], wanted: object) -> OpenAccount:
    """What the session names, if it is still open to the person; else the first."""
    return next((entry for entry in open_accounts if str(entry.account.id) == wanted), open_accounts[0])
