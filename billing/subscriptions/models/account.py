"""Billing accounts: who pays for which workspaces."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from billing.credits.models import LedgerAccount
from tenants.append_only import kept
from tenants.models import Tenant, Workspace


def raises_version(*account_columns: str) -> list[pgtrigger.Trigger]:
    """Triggers that raise the version of the billing accounts that a changed row names.

    A decision that was prepared from cached limits carries the version that it read; the database refuses it when the
    version has moved on. A trigger, so that a change by hand in SQL counts too.
    """

    def bump(row: str) -> str:
        columns = ", ".join(f"{row}.{column}" for column in account_columns)
        return f"UPDATE billing_subscriptions_billingaccount SET version = version + 1 WHERE id IN ({columns});"

    return [
        pgtrigger.Trigger(
            name="version_new",
            when=pgtrigger.After,
            operation=pgtrigger.Insert | pgtrigger.Update,
            func=f"{bump('NEW')} RETURN NULL;",
        ),
        pgtrigger.Trigger(
            name="version_old",
            when=pgtrigger.After,
            operation=pgtrigger.Delete | pgtrigger.Update,
            func=f"{bump('OLD')} RETURN NULL;",
        ),
    ]


class BillingAccount(models.Model):
    """Holds one plan and one balance; a tenant may have several, a workspace points to one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="billing_accounts")
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="USD")
    is_default = models.BooleanField(default=False, help_text="Pays for the tenant's new workspaces.")
    own_keys = models.BooleanField(
        default=True, help_text="Runs use the tenant's own provider keys where they are assigned (K11)."
    )
    version = models.BigIntegerField(default=1, editable=False)
    credits = models.OneToOneField(LedgerAccount, models.PROTECT, related_name="credits_of")
    receivable = models.OneToOneField(LedgerAccount, models.PROTECT, related_name="receivable_of")
    low_balance_threshold = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal(10))
    signed_up_at = models.DateTimeField(help_text="Free periods are anchored to the day of month of this date (UTC).")

    class Meta:
        ordering = ["tenant", "name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="billingaccount_name_in_tenant"),
            models.UniqueConstraint(fields=["tenant"], condition=Q(is_default=True), name="billingaccount_one_default"),
            # Target of composite foreign keys that keep a workspace and its account in one tenant.
            models.UniqueConstraint(fields=["tenant", "id"], name="billingaccount_in_tenant"),
            models.CheckConstraint(condition=Q(low_balance_threshold__gte=0), name="billingaccount_threshold"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} – {self.name}"


class FormerAccount(models.Model):
    """An account that paid for a workspace and does so no longer, or does so again: keys used under it stay known (U2).

    No foreign keys: the row is a statement about the past.
    """

    workspace_id = models.UUIDField()
    account_id = models.UUIDField()
    left_at = models.DateTimeField(help_text="When it last ceased to pay.")

    class Meta:
        ordering = ["workspace_id", "left_at"]
        constraints = [models.UniqueConstraint(fields=["workspace_id", "account_id"], name="formeraccount_once")]
        triggers = kept()

    def __str__(self) -> str:
        return f"{self.workspace_id} ← {self.account_id}"


# A trigger, so that a change by hand in SQL is remembered too.
_REMEMBER_ACCOUNT = """
    IF TG_OP = 'UPDATE' AND (NEW.workspace_id, NEW.account_id) = (OLD.workspace_id, OLD.account_id) THEN
        RETURN NULL;
    END IF;
    INSERT INTO billing_subscriptions_formeraccount AS f (workspace_id, account_id, left_at)
    VALUES (OLD.workspace_id, OLD.account_id, clock_timestamp())
    ON CONFLICT (workspace_id, account_id) DO UPDATE SET left_at = excluded.left_at;
    RETURN NULL;
"""


class WorkspaceBilling(models.Model):
    """The account that pays for a workspace. Composite foreign keys keep both inside the tenant."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True, related_name="billing")
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="workspace_links")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+")

    class Meta:
        triggers = [
            *raises_version("account_id"),
            pgtrigger.Trigger(
                name="account_left",
                when=pgtrigger.After,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=_REMEMBER_ACCOUNT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.workspace} → {self.account}"
