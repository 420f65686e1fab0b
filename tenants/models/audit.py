"""The audit log: who did what, never with which secret."""

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from uuid_utils.compat import uuid7

from tenants.append_only import append_only
from tenants.models.api_key import ApiKey
from tenants.models.tenant import Tenant


class AuditEvent(models.Model):
    """One action on a tenant's settings. Append-only, from SQL too."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.DO_NOTHING, related_name="audit_events")
    actor_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+")
    actor_key = models.ForeignKey(ApiKey, models.DO_NOTHING, null=True, related_name="+")
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=100)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["tenant", "-at"], name="audit_by_tenant")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.action} {self.target}"
