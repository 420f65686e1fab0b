"""The console's pages."""

from django.urls import path

from billing.console.views import api_keys, overview, plans, usage
from billing.console.views.credits import credits_overview

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("switch/<uuid:account_id>", overview.switch, name="switch"),
    path("plans/", plans.plans, name="plans"),
    path("usage/", usage.usage, name="usage"),
    path("credits/", credits_overview, name="credits"),
    path("api-keys/", api_keys.api_keys, name="api_keys"),
    path("api-keys/create", api_keys.create, name="api_key_create"),
    path("api-keys/<uuid:key_id>/revoke", api_keys.revoke, name="api_key_revoke"),
]
