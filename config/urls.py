"""Addresses: the API under /v1, the staff admin under /admin, the console at the root."""

from django.contrib import admin
from django.urls import include, path

from billing.api import health

urlpatterns = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("v1/", include("billing.api.urls")),
    path("admin/", admin.site.urls),
    path("account/", include("allauth.urls")),
    path("", include("billing.console.urls")),
]
