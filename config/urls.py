"""Addresses: the API under /v1, the staff admin under /admin, the console at the root."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from billing.api import health
from billing.api.views.fallback import nothing_here
from billing.stripe_sync.webhooks import StripeWebhook
from config.errors import no_page

handler400 = "config.errors.bad_request"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("v1", nothing_here),
    path("v1/", include("billing.api.urls")),
    path("stripe/webhook/<uuid:uuid>/", StripeWebhook.as_view(), name="stripe_webhook"),
    # One sign-in, with its rate limits and second factors, for staff as for members.
    path("admin/login/", secure_admin_login(admin.site.login)),
    path("admin/", admin.site.urls),
    # The address that a member signs in with is their tenant's to change, not a page of theirs.
    path("account/email/", no_page),
    path("account/", include("allauth.urls")),
    path("", include("billing.console.urls")),
]
