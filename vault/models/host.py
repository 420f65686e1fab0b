"""Addresses inside our own network that tenants' base URLs and webhooks may name."""

from django.conf import settings
from django.db import models
from uuid_utils.compat import uuid7


class AllowedHost(models.Model):
    """A named host, with its port, that staff allow although its address is private or speaks plain http (K3)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host = models.CharField(max_length=255, help_text="Lower case, as in the URL: models.internal or 10.0.0.5.")
    port = models.PositiveIntegerField()
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["host", "port"]
        constraints = [models.UniqueConstraint(fields=["host", "port"], name="allowedhost_once")]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
