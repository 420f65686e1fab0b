"""The console's pages."""

from django.urls import path

from billing.console.views import api_keys, checkout_return, overview, payment, plan_change, plans, top_up, usage
from billing.console.views.credits import credits_overview

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("switch/<uuid:account_id>", overview.switch, name="switch"),
    path("plans/", plans.plans, name="plans"),
    path("plans/change", plan_change.change, name="plan_change"),
    path("plans/resume", plan_change.resume, name="plan_resume"),
    path("usage/", usage.usage, name="usage"),
    path("credits/", credits_overview, name="credits"),
    path("credits/quote", top_up.quote, name="top_up_quote"),
    path("credits/top-up", top_up.buy, name="top_up"),
    path("billing/", payment.payment, name="payment"),
    path("billing/portal", payment.portal, name="portal"),
    path("billing/portal/return", payment.portal_return, name="portal_return"),
    path("billing/return/<uuid:key>", checkout_return.returned, name="checkout_return"),
    path("billing/return/<uuid:key>/cancelled", checkout_return.cancelled, name="checkout_cancelled"),
    path("api-keys/", api_keys.api_keys, name="api_keys"),
    path("api-keys/create", api_keys.create, name="api_key_create"),
    path("api-keys/<uuid:key_id>/revoke", api_keys.revoke, name="api_key_revoke"),
]
