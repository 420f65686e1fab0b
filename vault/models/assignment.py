"""Which key a run is on: assignments by place and model, and what happens where there is none."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.models import Agent, Office, Tenant, Workspace
from vault.models.credential import Credential


class Assignment(models.Model):
    """A provider's key for a tenant, a workspace, an office or an agent; for one model or all. No credential: the
    platform's key, on purpose. The nearest place decides, and there the model before all models (K4, K7)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="key_assignments")
    workspace = models.ForeignKey(Workspace, models.CASCADE, null=True, blank=True, related_name="+")
    office = models.ForeignKey(Office, models.CASCADE, null=True, blank=True, related_name="+")
    agent = models.ForeignKey(Agent, models.CASCADE, null=True, blank=True, related_name="+")
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=120, blank=True, help_text="Empty: every model of the provider.")
    credential = models.ForeignKey(Credential, models.PROTECT, null=True, blank=True, related_name="assignments")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["provider", "model"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "workspace", "office", "agent", "provider", "model"],
                nulls_distinct=False,
                name="assignment_once",
            ),
            models.CheckConstraint(
                condition=Q(office__isnull=True, agent__isnull=True)
                | Q(workspace__isnull=False, office__isnull=True)
                | Q(workspace__isnull=False, agent__isnull=True),
                name="assignment_one_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.model or '*'} of {self.tenant}"


class KeyPolicy(models.Model):
    """What a tenant wants where no usable key of its own is found (K6). No row: the plan's default."""

    class Fallback(models.TextChoices):
        STRICT = "strict", "Refuse the run"
        FALLBACK = "fallback", "Use the platform's key"

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="key_policy")
    fallback = models.CharField(max_length=10, choices=Fallback)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "key policies"
        constraints = [models.CheckConstraint(condition=Q(fallback__in=["strict", "fallback"]), name="keypolicy_word")]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.fallback}"
