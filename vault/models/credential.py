"""Credentials: keys of providers, encrypted, in versions."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models import Tenant
from vault.models.keys import DataKey


class Health(models.TextChoices):
    """What is known of a key at its provider (K9)."""

    UNVERIFIED = "unverified", "Not verified yet"
    VALID = "valid", "Valid"
    RESTRICTED = "restricted", "Restricted: the provider knows it, but it may not do everything"
    RATE_LIMITED = "rate_limited", "Rate limited"
    QUOTA_EXHAUSTED = "quota_exhausted", "Quota exhausted"
    INVALID = "invalid", "Invalid"
    UNREACHABLE = "unreachable", "Unreachable"
    EXPIRING = "expiring", "Expires soon"
    REVOKED = "revoked", "Revoked"


BROKEN = frozenset({Health.QUOTA_EXHAUSTED, Health.INVALID, Health.UNREACHABLE, Health.REVOKED})
"""Health in which a key is not handed out (K4): it stops the search for a key."""


def under_a_live_key(erased: str) -> pgtrigger.Trigger:
    """Refuse a ciphertext under a destroyed data key; `erased` is the column that says that it is gone.

    The lock keeps the data key from being destroyed until the row is seen.
    """
    return pgtrigger.Trigger(
        name="under_a_live_key",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("data_key_id", "ciphertext"),
        func=f"""
                    IF NEW.{erased} IS NULL AND NOT EXISTS (
                        SELECT FROM vault_datakey AS d
                         WHERE d.id = NEW.data_key_id AND d.destroyed_at IS NULL FOR SHARE
                    ) THEN
                        RAISE EXCEPTION 'The data key % is destroyed', NEW.data_key_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
    )


class Credential(models.Model):
    """A provider key of a tenant, or of the platform where there is no tenant. Its plain text is only in `Secret`s."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, blank=True, related_name="credentials")
    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    base_url = models.CharField(max_length=300, blank=True, help_text="Of the tenant's own machines; else empty.")
    health = models.CharField(max_length=20, choices=Health, default=Health.UNVERIFIED)
    health_reason = models.CharField(max_length=200, blank=True, help_text="Our words, never the provider's.")
    health_since = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="Failed uses or checks in a row.")
    cools_until = models.DateTimeField(null=True, blank=True, help_text="A platform key rests until then.")
    weight = models.PositiveIntegerField(default=1, help_text="A platform key's share of its provider's runs.")
    current_number = models.PositiveIntegerField(default=1, help_text="The version in use.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="When the provider ends it, if that is known.")
    disabled_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["provider", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "name"],
                condition=Q(revoked_at__isnull=True),
                nulls_distinct=False,
                name="credential_name_once",
            ),
            # Target of composite foreign keys that keep an assignment and its credential in one tenant.
            models.UniqueConstraint(fields=["tenant", "id"], name="credential_in_tenant"),
            models.CheckConstraint(condition=Q(health__in=Health.values), name="credential_health"),
            models.CheckConstraint(
                condition=Q(health="revoked", revoked_at__isnull=False)
                | (~Q(health="revoked") & Q(revoked_at__isnull=True)),
                name="credential_revoked_at",
            ),
            models.CheckConstraint(condition=Q(weight__gte=1, weight__lte=1000), name="credential_weight"),
        ]
        indexes = [
            models.Index(fields=["next_check_at"], condition=Q(revoked_at__isnull=True), name="credential_due"),
        ]
        triggers = [
            *kept(),
            # What the ciphertext is bound to never changes; another address or owner is another credential.
            pgtrigger.ReadOnly(name="bound", fields=["tenant", "provider", "base_url"]),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.name}"


class CredentialVersion(models.Model):
    """One key text of a credential, encrypted. A revoked version's ciphertext is erased."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    credential = models.ForeignKey(Credential, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    data_key = models.ForeignKey(DataKey, models.PROTECT, related_name="versions")
    ciphertext = models.BinaryField(max_length=8000)
    last_four = models.CharField(max_length=4)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    overlap_ends_at = models.DateTimeField(
        null=True, blank=True, help_text="A replaced version is kept until then, and revoked."
    )
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When the provider ends a replaced version; the key says it of the current."
    )
    replaced_at = models.DateTimeField(
        null=True, blank=True, help_text="When another one took its place; later than of all that were replaced before."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["credential", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["credential", "number"], name="credentialversion_once"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) & ~Q(ciphertext=b"") | Q(revoked_at__isnull=False, ciphertext=b""),
                name="credentialversion_erased",
            ),
        ]
        indexes = [
            models.Index(
                fields=["overlap_ends_at"], condition=Q(revoked_at__isnull=True), name="credentialversion_due"
            ),
        ]
        triggers = [
            *kept(),
            pgtrigger.ReadOnly(name="bound", fields=["credential", "number", "last_four"]),
            under_a_live_key("revoked_at"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} (…{self.last_four})"
