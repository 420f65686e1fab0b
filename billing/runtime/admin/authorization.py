"""Authorizations as staff see them."""

from django.contrib import admin

from billing.runtime.models import Authorization
from billing.subscriptions.account_admin import AccountFactAdmin
from tenants.staff_admin import badge

_STATE_COLOURS = {"open": "info", "settled": "success", "expired": "warning"}


@admin.register(Authorization)
class AuthorizationAdmin(AccountFactAdmin[Authorization]):
    """What was decided for a run, and what became of it."""

    list_display = (
        "created_at",
        "account",
        "provider",
        "model",
        "state_badge",
        "held",
        "cost",
        "charged",
        "expires_at",
    )
    list_select_related = ()
    list_filter = ("state", "created_at")
    exclude = ("body_digest", "settlement_digest")
    other_ids = ("event_id",)

    @badge("State", _STATE_COLOURS, ordering="state")
    def state_badge(self, authorization: Authorization) -> str:
        return authorization.state
