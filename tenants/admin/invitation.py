"""Invitations as staff see them: who was asked to join, and what became of it (F4). The link is nowhere to be seen."""

from django.contrib import admin
from django.utils.timezone import now

from tenants.models import Invitation
from tenants.staff_admin import ReadOnlyAdmin, badge

_COLOURS = {"open": "info", "accepted": "success", "revoked": "danger", "expired": "default"}


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    """Members with the right to invite and revoke in the console: who joins a tenant is the tenant's to say."""

    list_display = ("email", "tenant", "role", "state", "invited_by", "sendings", "sent_at", "expires_at")
    list_select_related = ("tenant", "invited_by")
    list_filter = (
        "role",
        ("accepted_at", admin.EmptyFieldListFilter),
        ("revoked_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("email", "tenant__slug", "tenant__name", "invited_by__email")
    search_help_text = "Address, tenant, who invited, or the id of an invitation or tenant"
    id_search_fields = ("id", "tenant_id")
    ordering = ("-created_at", "-id")
    exclude = ("digest",)
    readonly_fields = ("state",)

    @badge("State", _COLOURS)
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at is not None:
            return "accepted"
        if invitation.revoked_at is not None:
            return "revoked"
        return "open" if invitation.is_open(now()) else "expired"
