from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from billing.plans.catalogue_spec import Catalogue, PlanSpec
from billing.plans.errors import SlugTaken
from billing.plans.models import Entitlement, MeterPrice, Plan, PlanPrice, PlanVersion
from billing.plans.services.catalogue_lock import lock_catalogue
from billing.plans.services.retire_and_publish import retire_and_publish


@dataclass(slots=True)
class CatalogueChanges:
    """What loading a catalogue did, by the plans' slugs.

    `created` and `updated` plans have a new published version each. `absent` plans are in the database and not in the
    file; they are left as they are.
    """

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def new_versions(self) -> int:
        return len(self.created) + len(self.updated)


@transaction.atomic
def load_catalogue(*, catalogue: Catalogue, at: datetime) -> CatalogueChanges:
    """Bring the plans of one catalogue to what its file says (P1, P4); a second time changes nothing.

    A plan whose content changed since it was last loaded gets a new published version, and the one before is retired.
    What staff published meanwhile stays for as long as the file says the same as before. Raises SlugTaken.
    """
    lock_catalogue()
    plans = {plan.slug: plan for plan in Plan.objects.all()}
    _check_slugs(catalogue, plans)
    _clear_default(catalogue)
    loaded = _loaded_digests(catalogue)
    changes = CatalogueChanges()
    for spec in catalogue.plans:
        digest = spec.digest(currency=catalogue.currency)
        if loaded.get(spec.slug) == digest:
            changes.unchanged.append(spec.slug)
            continue
        (changes.updated if spec.slug in plans else changes.created).append(spec.slug)
        plan = _save_plan(plans.get(spec.slug), spec, catalogue.slug)
        _publish(plan, spec, currency=catalogue.currency, digest=digest, at=at)
    in_file = {spec.slug for spec in catalogue.plans}
    changes.absent = sorted(s for s, p in plans.items() if p.catalogue == catalogue.slug and s not in in_file)
    return changes


def _check_slugs(catalogue: Catalogue, plans: dict[str, Plan]) -> None:
    for spec in catalogue.plans:
        plan = plans.get(spec.slug)
        if plan is not None and plan.catalogue != catalogue.slug:
            raise SlugTaken(f"The plan “{spec.slug}” belongs to the catalogue “{plan.catalogue}”.")


def _clear_default(catalogue: Catalogue) -> None:
    """At no moment may a catalogue have two defaults; the new one is set with its plan."""
    default = next(spec.slug for spec in catalogue.plans if spec.default)
    Plan.objects.filter(catalogue=catalogue.slug, is_default=True).exclude(slug=default).update(is_default=False)


def _loaded_digests(catalogue: Catalogue) -> dict[str, str]:
    """The digest of what was last loaded from a file, by the plan's slug. Versions that staff made have none."""
    loaded = PlanVersion.objects.filter(plan__catalogue=catalogue.slug).exclude(digest="").order_by("number")
    return dict(loaded.values_list("plan__slug", "digest"))


def _save_plan(plan: Plan | None, spec: PlanSpec, catalogue: str) -> Plan:
    plan = plan or Plan(slug=spec.slug, catalogue=catalogue)
    plan.name, plan.description, plan.position = spec.name, spec.description, spec.position
    plan.is_public, plan.is_custom, plan.is_default = spec.is_public, spec.is_custom, spec.default
    plan.save()
    return plan


def _publish(plan: Plan, spec: PlanSpec, *, currency: str, digest: str, at: datetime) -> None:
    highest = PlanVersion.objects.filter(plan=plan).aggregate(number=Max("number"))["number"] or 0
    version = PlanVersion.objects.create(
        plan=plan,
        number=highest + 1,
        currency=currency,
        usage_funding=spec.usage_funding.value,
        credential_policy=spec.credential_policy.value,
        digest=digest,
        created_at=at,
    )
    _add_parts(version, spec)
    retire_and_publish(version, at=at)


def _add_parts(version: PlanVersion, spec: PlanSpec) -> None:
    PlanPrice.objects.bulk_create(
        PlanPrice(
            version=version, interval=p.interval.value, variant=p.variant.value, amount=p.amount, per_seat=p.per_seat
        )
        for p in spec.prices
    )
    Entitlement.objects.bulk_create(
        Entitlement(
            version=version,
            feature=e.feature,
            value=e.json_value,
            per_seat=e.per_seat,
            throttle_after=e.throttle_after,
            throttle_per_minute=e.throttle_per_minute,
        )
        for e in spec.entitlements
    )
    MeterPrice.objects.bulk_create(
        MeterPrice(version=version, product=m.product, unit=m.unit, unit_price=m.unit_price, included=m.included)
        for m in spec.meters
    )
