"""The page that an invitation's link opens: for new people, for those who sign in first, and for links that are void.

Only a POST accepts: programs that look at links in e-mails do no harm. No answer is kept by anybody, and logs name the
route without the token.
"""

from dataclasses import dataclass
from functools import wraps
from typing import Protocol

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from billing.console.access import CHOSEN_ACCOUNT, ConsoleRequest
from billing.console.member_forms import JoinForm
from billing.console.member_texts import ROLE_MEANINGS, ROLE_NAMES
from billing.console.queries import accounts_open_to
from tenants.errors import MembershipError, SignInFirst, UnknownInvitation
from tenants.models import Invitation, Membership, User
from tenants.permissions import Role
from tenants.queries import find_invitation, find_user
from tenants.services.accept_invitation import accept_invitation
from tenants.services.join_by_invitation import join_by_invitation

PAGE, VOID = "console/invitation.html", "console/invitation_void.html"


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """`reader` is the address that somebody is signed in with, and `form` what a new person fills in."""

    invitation: Invitation
    role_name: str
    role_meaning: str
    token: str
    reader: str = ""
    is_theirs: bool = False
    form: JoinForm | None = None


class _View(Protocol):
    def __call__(self, request: ConsoleRequest, /, token: str) -> HttpResponseBase: ...


def _or_void(view: _View) -> _View:
    """Where the invitation cannot be used, a page that says why, and what to do."""

    @wraps(view)
    def guarded(request: ConsoleRequest, /, token: str) -> HttpResponseBase:
        try:
            return view(request, token)
        except MembershipError as refusal:
            status = 404 if isinstance(refusal, UnknownInvitation) else 410
            return render(request, VOID, {"page": refusal}, status=status)

    return guarded


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@_or_void
@sensitive_variables("token", "form")
def invitation(request: ConsoleRequest, token: str) -> HttpResponseBase:
    """Show an invitation; a POST accepts it, for who is signed in with its address or is new here."""
    offered = find_invitation(token, now())
    if request.user.is_authenticated:
        return _for_signed_in(request, request.user, offered, token)
    known = find_user(offered.email)
    if known is not None and known.has_usable_password():
        return _show(request, offered, token)
    return _for_newcomer(request, offered, token)


def _for_signed_in(request: ConsoleRequest, user: User, offered: Invitation, token: str) -> HttpResponseBase:
    is_theirs = user.email.casefold() == offered.email.casefold()
    if request.method == "POST" and is_theirs:
        return _welcome(request, accept_invitation(token=token, user=user, at=now()))
    return _show(request, offered, token, reader=user.email, is_theirs=is_theirs)


def _for_newcomer(request: ConsoleRequest, offered: Invitation, token: str) -> HttpResponseBase:
    is_answer = request.method == "POST"
    form = JoinForm(request.POST if is_answer else None, email=offered.email)
    if not is_answer or not form.is_valid():
        return _show(request, offered, token, form=form, status=422 if is_answer else 200)
    name, password = form.cleaned_data["name"], form.cleaned_data["password"]
    try:
        joined = join_by_invitation(invitation=offered, token=token, name=name, password=password, at=now())
    except SignInFirst:
        return redirect("console:invitation", token)
    # Through allauth, so that whatever it asks of a sign-in is asked here too.
    answer: HttpResponseBase = perform_login(request, joined.user, redirect_url="/")
    if request.user.is_authenticated:
        return _welcome(request, joined)
    return answer


def _show(
    request: ConsoleRequest,
    offered: Invitation,
    token: str,
    *,
    reader: str = "",
    is_theirs: bool = False,
    form: JoinForm | None = None,
    status: int = 200,
) -> HttpResponse:
    role = Role(offered.role)
    page = InvitationPage(offered, ROLE_NAMES[role], ROLE_MEANINGS[role], token, reader, is_theirs, form)
    return render(request, PAGE, {"page": page}, status=status)


def _welcome(request: ConsoleRequest, joined: Membership) -> HttpResponse:
    """To the overview of the tenant that was joined, whichever others the person belongs to."""
    accounts = [entry.account for entry in accounts_open_to(joined.user_id)]
    account = next((account for account in accounts if account.tenant_id == joined.tenant_id), None)
    if account is not None:
        request.session[CHOSEN_ACCOUNT] = str(account.id)
    messages.success(request, f"Welcome to {joined.tenant.name}. Your role is {ROLE_NAMES[Role(joined.role)]}.")
    return redirect("console:overview")
