"""Texts of a tenant that are no provider's keys and yet secret, encrypted as those are."""

import pgtrigger
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models import Tenant
from vault.models.credential import under_a_live_key
from vault.models.keys import DataKey


class SealedText(models.Model):
    """A text under the tenant's data key, readable for one purpose alone. An erased one's ciphertext is gone (N1)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="sealed_texts")
    purpose = models.CharField(max_length=40, help_text="What it is for, in a word of whoever keeps it.")
    data_key = models.ForeignKey(DataKey, models.PROTECT, related_name="sealed_texts")
    ciphertext = models.BinaryField(max_length=8000)
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) & ~Q(ciphertext=b"") | Q(erased_at__isnull=False, ciphertext=b""),
                name="sealedtext_erased",
            ),
        ]
        triggers = [
            *kept(),
            # What the ciphertext is bound to never changes.
            pgtrigger.ReadOnly(name="bound", fields=["tenant", "purpose"]),
            under_a_live_key("erased_at"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.tenant_id}"
