"""Keys of keys: what wraps a tenant's data key, and the data keys themselves."""

import pgtrigger
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from tenants.append_only import kept
from tenants.models import Tenant


class KeyEncryptionKey(models.Model):
    """A key that wraps data keys. Where it lives is `location`; its bytes are never in this database."""

    class Backend(models.TextChoices):
        LOCAL = "local", "A file of this machine"
        AWS = "aws", "AWS KMS"
        GCP = "gcp", "Google Cloud KMS"
        TRANSIT = "transit", "HashiCorp Vault Transit"

    class State(models.TextChoices):
        STAGED = "staged", "Staged: known to every reader, wraps nothing yet"
        ACTIVE = "active", "Active: wraps data keys"
        RETIRING = "retiring", "Retiring: unwraps only"
        RETIRED = "retired", "Retired: nothing hangs on it"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.SlugField(max_length=60, unique=True)
    backend = models.CharField(max_length=10, choices=Backend)
    location = models.CharField(max_length=300, help_text="File name, ARN, resource name, or mount and key name.")
    state = models.CharField(max_length=10, choices=State, default=State.STAGED)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "key-encryption key"
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="kek_one_active"),
            models.UniqueConstraint(fields=["backend", "location"], name="kek_once"),
            models.CheckConstraint(
                condition=Q(state__in=["staged", "active", "retiring", "retired"]), name="kek_state"
            ),
            models.CheckConstraint(
                condition=Q(state="retired", retired_at__isnull=False)
                | (~Q(state="retired") & Q(retired_at__isnull=True)),
                name="kek_retired_at",
            ),
        ]
        triggers = [
            *kept(),
            pgtrigger.Trigger(
                name="nothing_hangs_on_retired",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__state="retired"),
                func="""
                    IF EXISTS (SELECT FROM vault_datakey AS d WHERE d.kek_id = NEW.id AND d.destroyed_at IS NULL) THEN
                        RAISE EXCEPTION 'Data keys are still wrapped by the key-encryption key %', NEW.name
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DataKey(models.Model):
    """A tenant's key that encrypts its credentials, wrapped. No tenant: the platform's own. One is in use at a time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, null=True, blank=True, related_name="data_keys")
    kek = models.ForeignKey(KeyEncryptionKey, models.PROTECT, related_name="data_keys")
    wrapped = models.BinaryField(max_length=2000)
    encryptions = models.BigIntegerField(default=0, help_text="How often it has encrypted.")
    created_at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True, help_text="Since then it only decrypts.")
    destroyed_at = models.DateTimeField(null=True, blank=True, help_text="Since then its wrapped bytes are gone.")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(replaced_at__isnull=True),
                nulls_distinct=False,
                name="datakey_one_in_use",
            ),
            # Far below the 2^32 encryptions under random nonces that NIST SP 800-38D allows one key.
            models.CheckConstraint(condition=Q(encryptions__lte=2**30), name="datakey_encryptions"),
            models.CheckConstraint(
                condition=Q(destroyed_at__isnull=True) | Q(replaced_at__isnull=False, wrapped=b""),
                name="datakey_destroyed",
            ),
        ]
        triggers = [
            *kept(),
            pgtrigger.Trigger(
                name="wrapped_by_a_live_key",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("kek_id", "wrapped"),
                # The lock keeps the key from being retired until this row is seen. FOR KEY SHARE would not: it lets
                # updates pass that change no column of a whole unique index.
                func="""
                    IF NEW.destroyed_at IS NULL AND NOT EXISTS (
                        SELECT FROM vault_keyencryptionkey AS k
                         WHERE k.id = NEW.kek_id AND k.state IN ('active', 'retiring') FOR SHARE
                    ) THEN
                        RAISE EXCEPTION 'The key-encryption key % wraps nothing', NEW.kek_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Trigger(
                name="nothing_hangs_on_destroyed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__destroyed_at__isnull=False),
                func="""
                    IF EXISTS (
                        SELECT FROM vault_credentialversion AS v WHERE v.data_key_id = NEW.id AND v.revoked_at IS NULL
                    ) OR EXISTS (
                        SELECT FROM vault_sealedtext AS t WHERE t.data_key_id = NEW.id AND t.erased_at IS NULL
                    ) THEN
                        RAISE EXCEPTION 'Keys are still encrypted under the data key %', NEW.id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Data key {self.id}"
