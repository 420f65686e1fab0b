"""The console's pages."""

from django.urls import path

from billing.console.views import (
    api_keys,
    checkout_return,
    overview,
    payment,
    plan_change,
    plans,
    sessions,
    top_up,
    usage,
    usage_sessions,
)
from billing.console.views.credits import credits_overview
from billing.console.views.keys import add, assignments, key, versions
from billing.console.views.keys import overview as keys

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("switch/<uuid:account_id>", overview.switch, name="switch"),
    path("plans/", plans.plans, name="plans"),
    path("plans/change", plan_change.change, name="plan_change"),
    path("plans/resume", plan_change.resume, name="plan_resume"),
    path("usage/", usage.usage, name="usage"),
    path("usage/sessions", usage_sessions.ledger, name="usage_sessions"),
    path("usage/session", usage_sessions.session, name="usage_session"),
    path("sessions/", sessions.sessions, name="sessions"),
    path("sessions/<uuid:session_id>/end", sessions.end, name="session_end"),
    path("sessions/<uuid:session_id>/allow", sessions.allow, name="session_allow"),
    path("credits/", credits_overview, name="credits"),
    path("credits/quote", top_up.quote, name="top_up_quote"),
    path("credits/top-up", top_up.buy, name="top_up"),
    path("billing/", payment.payment, name="payment"),
    path("billing/portal", payment.portal, name="portal"),
    path("billing/portal/return", payment.portal_return, name="portal_return"),
    path("billing/return/<uuid:key>", checkout_return.returned, name="checkout_return"),
    path("billing/return/<uuid:key>/cancelled", checkout_return.cancelled, name="checkout_cancelled"),
    path("keys/", keys.keys, name="keys"),
    path("keys/own-keys", keys.switch, name="own_keys_switch"),
    path("keys/policy", keys.policy, name="key_policy"),
    path("keys/add", add.providers, name="key_providers"),
    path("keys/add/<slug:provider>", add.add, name="key_add"),
    path("keys/assignments", assignments.assignments, name="key_assignments"),
    path("keys/assignments/set", assignments.assign, name="key_assign"),
    path("keys/assignments/remove", assignments.remove, name="key_unassign"),
    path("keys/which", assignments.which, name="key_which"),
    path("keys/<uuid:key_id>", key.key, name="key"),
    path("keys/<uuid:key_id>/uses", key.uses, name="key_uses"),
    path("keys/<uuid:key_id>/check", key.check, name="key_check"),
    path("keys/<uuid:key_id>/change", key.change, name="key_change"),
    path("keys/<uuid:key_id>/switch", key.switch, name="key_switch"),
    path("keys/<uuid:key_id>/rotate", versions.rotate, name="key_rotate"),
    path("keys/<uuid:key_id>/restore", versions.restore, name="key_restore"),
    path("keys/<uuid:key_id>/revoke", key.revoke, name="key_revoke"),
    path("api-keys/", api_keys.api_keys, name="api_keys"),
    path("api-keys/create", api_keys.create, name="api_key_create"),
    path("api-keys/<uuid:key_id>/revoke", api_keys.revoke, name="api_key_revoke"),
]
