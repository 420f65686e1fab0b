"""Members of the tenant: listed, invited, given another role and removed by who may manage it (F4)."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.member_forms import InviteForm, RoleForm
from billing.console.member_texts import ROLE_NAMES
from billing.console.pages.members import members_page, roles_given_by
from billing.console.rendering import render_page
from billing.notifications.services.invite_again_by_mail import invite_again_by_mail
from billing.notifications.services.invite_by_mail import invite_by_mail
from tenants.errors import MembershipError
from tenants.models import Invitation, Membership
from tenants.permissions import Permission, Role
from tenants.queries import role_of
from tenants.services.change_role import change_role
from tenants.services.record_audit import Actor
from tenants.services.remove_member import remove_member
from tenants.services.revoke_invitation import revoke_invitation


@require_safe
@member_page(Permission.TENANT_MANAGE)
def members(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Who belongs to the tenant, who is invited, and the form that invites."""
    return _answer(request, member, None)


@require_http_methods(["GET", "POST"])
@member_page(Permission.TENANT_MANAGE)
def invite(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Invite somebody by e-mail; 422 with the form where it is refused. A GET comes from a reload."""
    if request.method == "GET":
        return redirect("console:members")
    form = InviteForm(request.POST, roles=roles_given_by(role_of(user_id=member.user.pk, tenant_id=member.tenant.id)))
    if not form.is_valid():
        return _answer(request, member, form)
    email, role = form.cleaned_data["email"], form.role_chosen()
    try:
        invite_by_mail(tenant_id=member.tenant.id, email=email, role=role, actor=_actor(member), at=now())
    except MembershipError as refusal:
        form.add_error("email", str(refusal))
        return _answer(request, member, form)
    messages.success(request, f"An invitation is on its way to {email}. Its link can be used for seven days.")
    return redirect("console:members")


@require_POST
@member_page(Permission.TENANT_MANAGE)
def resend(request: ConsoleRequest, member: Member, invitation_id: UUID) -> HttpResponse:
    """Send an invitation again with a new link; 404 for one of another tenant."""

    def send() -> str:
        sent = invite_again_by_mail(
            tenant_id=member.tenant.id, invitation_id=invitation_id, actor=_actor(member), at=now()
        )
        return f"A new link is on its way to {sent.email}; the former one is void."

    return _do(request, send)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def revoke(request: ConsoleRequest, member: Member, invitation_id: UUID) -> HttpResponse:
    """Withdraw an invitation; 404 for one of another tenant."""

    def withdraw() -> str:
        gone = revoke_invitation(
            tenant_id=member.tenant.id, invitation_id=invitation_id, actor=_actor(member), at=now()
        )
        return f"The invitation of {gone.email} is withdrawn."

    return _do(request, withdraw)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def role(request: ConsoleRequest, member: Member, user_id: int) -> HttpResponse:
    """Give a member another role; 404 for somebody of another tenant."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Http404
    chosen = Role(form.cleaned_data["role"])

    def change() -> str:
        changed = change_role(tenant_id=member.tenant.id, user_id=user_id, role=chosen, actor=_actor(member), at=now())
        return f"{changed.user.email} is {ROLE_NAMES[chosen]} now."

    return _do(request, change, back="console:overview" if user_id == member.user.pk else "console:members")


@require_POST
@member_page(Permission.TENANT_MANAGE)
def remove(request: ConsoleRequest, member: Member, user_id: int) -> HttpResponse:
    """End a membership; 404 for somebody of another tenant."""

    def end() -> str:
        gone = remove_member(tenant_id=member.tenant.id, user_id=user_id, actor=_actor(member), at=now())
        return f"{gone.email} is no member any more."

    return _do(request, end, back="console:overview" if user_id == member.user.pk else "console:members")


def _do(request: ConsoleRequest, action: Callable[[], str], *, back: str = "console:members") -> HttpResponse:
    """Say what was done, or why it was not; who changed themselves may not see the page any more."""
    try:
        done = action()
    except MembershipError as refusal:
        messages.error(request, str(refusal))
        return redirect("console:members")
    except (Invitation.DoesNotExist, Membership.DoesNotExist):
        raise Http404 from None
    messages.success(request, done)
    return redirect(back)


def _answer(request: ConsoleRequest, member: Member, form: InviteForm | None) -> HttpResponse:
    page = members_page(member, form, at=now())
    return render_page(request, member, "console/members.html", page, status=422 if form else 200)


def _actor(member: Member) -> Actor:
    return Actor(user_id=member.user.pk)
