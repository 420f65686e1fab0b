"""E-mails to customers, and which of them their members want (S8, M9, F2)."""

from django.contrib import admin

from billing.notifications.models import Notice, NotificationPreference
from billing.notifications.services.send_notices import MOST_TRIES
from tenants.staff_admin import LargeTableAdmin, ReadOnlyAdmin, badge

_COLOURS = {"sent": "success", "waiting": "info", "tried again": "warning", "not sent": "danger"}


@admin.register(Notice)
class NoticeAdmin(LargeTableAdmin[Notice]):
    """What was told whom. An invitation's link is made when it is sent, and not kept."""

    list_display = ("subject", "tenant", "kind", "state", "created_at", "sent_at", "tries")
    list_select_related = ("tenant",)
    list_filter = (("sent_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("subject", "kind", "to", "tenant__slug", "tenant__name")
    search_help_text = "Subject, kind, address, tenant or id"
    id_search_fields = ("id", "tenant_id")
    fields = (
        ("tenant", "kind", "to"),
        "subject",
        "body",
        ("link_text", "link"),
        ("state", "created_at", "sent_at"),
        ("tries", "due_at", "error"),
    )
    readonly_fields = ("state",)

    @badge("State", _COLOURS)
    def state(self, notice: Notice) -> str:
        if notice.sent_at is not None:
            return "sent"
        if notice.tries >= MOST_TRIES:
            return "not sent"
        return "tried again" if notice.error else "waiting"


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ReadOnlyAdmin[NotificationPreference]):
    """Choices that members made; who made none gets a category's e-mails."""

    list_display = ("user", "tenant", "category", "email")
    list_select_related = ("user", "tenant")
    list_filter = ("category", "email")
    search_fields = ("user__email", "tenant__slug", "tenant__name")
    search_help_text = "Member or tenant"
    id_search_fields = ("tenant_id",)
    ordering = ("tenant__slug", "user__email", "category")
