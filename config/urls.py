"""Addresses: the API under /v1, the staff admin under /admin, the console at the root."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from billing.api import health

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("v1/", include("billing.api.urls")),
    # One sign-in, with its rate limits and second factors, for staff as for members.
    path("admin/login/", secure_admin_login(admin.site.login)),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("billing.console.urls")),
]
