"""Sessions as staff see them, ending one, and allowing a stopped one again."""

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.core.problems import Problem
from billing.runtime.models import Session
from billing.runtime.services.allow_session import allow_session
from billing.runtime.services.stop_session import stop_session
from billing.subscriptions.account_admin import AccountFactAdmin
from tenants.services.record_audit import Actor
from tenants.staff_admin import badge, change_url, confirmed_action, go_to, uuid_in

_SESSION = "billing_runtime_session"
_COLOURS = {"running": "success", "pending": "info", "paused": "info", "stopped": "danger", "expired": "warning"}
_REASONS = {"rate": "Too many runs in a minute", "repeats": "The same run again and again", "hand": "By hand"}


@admin.register(Session)
class SessionAdmin(AccountFactAdmin[Session]):
    """A live session holds a slot of its plan. One that looped was stopped, and its name takes no runs until it is
    allowed again."""

    list_display = ("started_at", "account", "name", "agent", "state_badge", "runs", "heartbeat_at", "why")
    list_filter = ("state", "stopped_for", "started_at")
    fields = (
        ("account", "name"),
        ("state_badge", "why"),
        ("office", "agent"),
        "end_user",
        ("started_at", "heartbeat_at"),
        ("lease_until", "ended_at"),
        ("runs", "open_runs"),
        ("minute_runs", "repeats"),
        "told_at",
    )
    readonly_fields = ("account", "state_badge", "why")
    other_ids = ("workspace_id",)
    actions_detail = ("stop", "allow")

    def has_stop_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return _may(request) and _state_of(obj) in (None, *Session.LIVE)

    def has_allow_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return _may(request) and _state_of(obj) in (None, Session.State.STOPPED)

    @badge("State", _COLOURS, ordering="state")
    def state_badge(self, session: Session) -> str:
        return session.state

    @admin.display(description="Stopped because")
    def why(self, session: Session) -> str:
        return _REASONS.get(session.stopped_for, "–")

    @confirmed_action(
        "End session",
        question="Its slot is free at once. Runs under way are still settled; its name takes no more runs until it is "
        "allowed again.",
        icon="stop_circle",
        permission="stop",
        url_path="stop",
    )
    def stop(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        session = Session.objects.get(id=object_id)
        try:
            stop_session(
                account_id=session.account_id, session_id=session.id, at=now(), actor=Actor(user_id=request.user.pk)
            )
        except Problem as problem:
            self.message_user(request, problem.detail, messages.WARNING)
        else:
            self.log_change(request, session, "Ended")
            self.message_user(request, f"“{session.name}” is ended.", messages.SUCCESS)
        return go_to(change_url(_SESSION, object_id))

    @confirmed_action(
        "Allow again",
        question="Runs may name this session again; it starts anew.",
        icon="undo",
        permission="allow",
        url_path="allow",
    )
    def allow(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        session = Session.objects.get(id=object_id)
        try:
            allow_session(
                account_id=session.account_id, session_id=session.id, at=now(), actor=Actor(user_id=request.user.pk)
            )
        except Problem as problem:
            self.message_user(request, problem.detail, messages.WARNING)
        else:
            self.log_change(request, session, "Allowed again")
            self.message_user(request, f"“{session.name}” may run again.", messages.SUCCESS)
        return go_to(change_url(_SESSION, object_id))


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm("billing_runtime.change_session")


def _state_of(obj: object) -> str | None:
    """unfold passes the id of the page's object."""
    found = uuid_in(str(obj)) if obj is not None else None
    return Session.objects.filter(id=found).values_list("state", flat=True).first() if found else None
