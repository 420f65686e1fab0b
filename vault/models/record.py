"""What happened to keys: who used which one when, and how their health changed."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import append_only, kept
from tenants.models import ApiKey, Tenant, Workspace
from vault.models.credential import Credential, Health


class CredentialAccess(models.Model):
    """A key's plain text left the vault, or was about to: for a run, a check, or work on the vault itself (K5, K10).

    `tenant` is whose run it was; the credential may be the platform's.
    """

    class Purpose(models.TextChoices):
        RUN = "run", "Handed to the runtime"
        CHECK = "check", "Checked at the provider"
        REENCRYPT = "reencrypt", "Encrypted under another data key"

    class Outcome(models.TextChoices):
        GRANTED = "granted"
        UNREADABLE = "unreadable", "Could not be decrypted"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.DO_NOTHING, null=True, related_name="+")
    credential = models.ForeignKey(Credential, models.DO_NOTHING, related_name="accesses")
    number = models.PositiveIntegerField(help_text="The version.")
    purpose = models.CharField(max_length=10, choices=Purpose)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.GRANTED)
    run_id = models.UUIDField(null=True, help_text="The authorization of the run.")
    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, null=True, related_name="+")
    office = models.CharField(max_length=100, blank=True)
    agent = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=120, blank=True)
    actor_key = models.ForeignKey(ApiKey, models.DO_NOTHING, null=True, related_name="+")
    actor_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "access to a key"
        verbose_name_plural = "accesses to keys"
        indexes = [
            models.Index(fields=["tenant", "-id"], name="access_by_tenant"),
            models.Index(fields=["credential", "-id"], name="access_by_credential"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.purpose} of {self.credential_id}"


class HealthChange(models.Model):
    """A key's health changed. The owners are told by whoever reads the untold ones (an outbox)."""

    class Source(models.TextChoices):
        CHECK = "check", "A check at the provider"
        RUN = "run", "A run's report"
        PERSON = "person", "Somebody changed the key"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    credential = models.ForeignKey(Credential, models.PROTECT, related_name="health_changes")
    before = models.CharField(max_length=20, choices=Health)
    after = models.CharField(max_length=20, choices=Health)
    reason = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["at"], condition=Q(told_at__isnull=True), name="healthchange_untold")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
