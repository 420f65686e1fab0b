"""Versions of a plan. A published version never changes: triggers refuse it, from SQL too."""

import pgtrigger
from django.db import models
from uuid_utils.compat import uuid7

from billing.plans.models.plan import Plan
from tenants.append_only import no_truncate

_NOT_A_DRAFT = pgtrigger.Q(old__state__in=["published", "retired"])


def _sealed_with_its_version(operation: pgtrigger.Operation, row: str) -> pgtrigger.Trigger:
    """Refuses to add, change or remove a part of a version that is no draft any more.

    The lock makes whoever edits a part and whoever publishes its version wait for each other.
    """
    return pgtrigger.Trigger(
        name=f"sealed_{row.lower()}",
        when=pgtrigger.Before,
        operation=operation,
        func=f"""
            PERFORM FROM billing_plans_planversion WHERE id = {row}.version_id AND state = 'draft' FOR SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'pgtrigger: a published plan version never changes (table %)', TG_TABLE_NAME;
            END IF;
            IF TG_OP = 'DELETE' THEN
                RETURN OLD;
            END IF;
            RETURN NEW;
        """,
    )


_SEALED = [
    _sealed_with_its_version(pgtrigger.Insert | pgtrigger.Update, "NEW"),
    _sealed_with_its_version(pgtrigger.Delete | pgtrigger.Update, "OLD"),
    no_truncate(),
]


class PlanVersion(models.Model):
    """What a plan costs and allows from its publication on. Subscriptions stay on theirs until migrated."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        RETIRED = "retired"

    class Funding(models.TextChoices):
        INCLUDED = "included", "Model usage is covered by the plan's price"
        CREDITS = "credits", "Model usage is paid from credits"

    class CredentialPolicy(models.TextChoices):
        PLATFORM = "platform", "Runs on the platform's provider keys"
        BYOK_ONLY = "byok_only", "Runs only on the tenant's own provider keys"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    currency = models.CharField(max_length=3, default="USD")
    usage_funding = models.CharField(max_length=10, choices=Funding)
    credential_policy = models.CharField(max_length=10, choices=CredentialPolicy)
    digest = models.CharField(max_length=64, blank=True, help_text="Of the catalogue file's content that made it.")
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="planversion_number"),
            models.UniqueConstraint(
                fields=["plan"], condition=models.Q(state="published"), name="planversion_one_published"
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(published_at__isnull=False),
                name="planversion_published_at",
            ),
        ]
        triggers = [
            # Only `published -> retired` is left to a published version.
            pgtrigger.Trigger(
                name="published_is_immutable",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=_NOT_A_DRAFT,
                func="""
                    IF (to_jsonb(NEW) - 'state') <> (to_jsonb(OLD) - 'state')
                       OR NEW.state = 'draft' OR (OLD.state = 'retired' AND NEW.state <> 'retired') THEN
                        RAISE EXCEPTION 'pgtrigger: a published plan version never changes (table %)', TG_TABLE_NAME;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="published_is_kept", operation=pgtrigger.Delete, condition=_NOT_A_DRAFT),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class PlanPrice(models.Model):
    """The price of one interval and variant, in the version's currency."""

    class Interval(models.TextChoices):
        MONTHLY = "monthly"
        YEARLY = "yearly"

    class Variant(models.TextChoices):
        STANDARD = "standard"
        BYOK = "byok"

    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="prices")
    interval = models.CharField(max_length=10, choices=Interval)
    variant = models.CharField(max_length=10, choices=Variant)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    per_seat = models.BooleanField(default=False)

    class Meta:
        ordering = ["interval", "-variant"]
        constraints = [
            models.UniqueConstraint(fields=["version", "interval", "variant"], name="planprice_once"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="planprice_not_negative"),
        ]
        triggers = _SEALED

    def __str__(self) -> str:
        return f"{self.amount} {self.interval} {self.variant}"


class Entitlement(models.Model):
    """The value of one feature (billing.plans.features) in one version; `null` is unlimited."""

    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="entitlements")
    feature = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    per_seat = models.BooleanField(default=False)
    throttle_after = models.PositiveBigIntegerField(null=True, blank=True)
    throttle_per_minute = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["feature"]
        constraints = [
            models.UniqueConstraint(fields=["version", "feature"], name="entitlement_once"),
            models.CheckConstraint(
                condition=models.Q(throttle_after__isnull=True, throttle_per_minute__isnull=True)
                | models.Q(throttle_after__isnull=False, throttle_per_minute__gt=0),
                name="entitlement_throttle_whole",
            ),
        ]
        triggers = _SEALED

    def __str__(self) -> str:
        return f"{self.feature} = {self.value}"


class MeterPrice(models.Model):
    """What a unit of a metered product costs in one version, after the quantity that the plan includes."""

    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="meters")
    product = models.CharField(max_length=40)
    unit = models.CharField(max_length=20)
    unit_price = models.DecimalField(max_digits=21, decimal_places=9)
    included = models.DecimalField(max_digits=21, decimal_places=9, default=0)

    class Meta:
        ordering = ["product"]
        constraints = [
            models.UniqueConstraint(fields=["version", "product"], name="meterprice_once"),
            models.CheckConstraint(
                condition=models.Q(unit_price__gte=0, included__gte=0), name="meterprice_not_negative"
            ),
        ]
        triggers = _SEALED

    def __str__(self) -> str:
        return f"{self.product} at {self.unit_price} a {self.unit}"
