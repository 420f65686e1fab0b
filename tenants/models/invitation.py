"""Invitations: who may become a member, by a link that is sent to their address (F4)."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models.tenant import Tenant
from tenants.permissions import Role


class Invitation(models.Model):
    """An offer of a role to an e-mail address. Of the link's token only the SHA-256 digest is stored."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=20, choices=[(role.value, role.name.title()) for role in Role])
    digest = models.BinaryField(max_length=32, unique=True)
    sendings = models.PositiveSmallIntegerField(default=1, help_text="Each has a link of its own; the last is valid.")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(help_text="When it was asked for last.")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                F("tenant"),
                Lower("email"),
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_open_once",
            ),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="invitation_role"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(revoked_at__isnull=True), name="invitation_ends_once"
            ),
        ]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.email} to {self.tenant} as {self.role}"

    def is_open(self, at: datetime) -> bool:
        """Whether its link can be used."""
        return self.accepted_at is None and self.revoked_at is None and at < self.expires_at
