from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.plans.catalogue_file import METERED_UNITS
from billing.plans.errors import NotADraft, NotPublishable
from billing.plans.feature_values import BadFeatureValue, check_value
from billing.plans.features import FEATURES, FeatureKind
from billing.plans.models import Entitlement, MeterPrice, PlanPrice, PlanVersion
from billing.plans.services.catalogue_lock import lock_catalogue
from billing.plans.services.retire_and_publish import retire_and_publish


@transaction.atomic
def publish_version(*, version_id: UUID, at: datetime) -> PlanVersion:
    """Publish a draft that staff edited; the plan's published version is retired in the same transaction (P1).

    Held to the rules of a catalogue file. Raises PlanVersion.DoesNotExist, NotADraft, NotPublishable.
    """
    lock_catalogue()
    version = PlanVersion.objects.select_for_update(of=("self",)).select_related("plan").get(id=version_id)
    if version.state != PlanVersion.State.DRAFT:
        raise NotADraft(f"{version} is {version.state}; only a draft can be published.")
    problems = list(_problems(version))
    if problems:
        raise NotPublishable(problems)
    retire_and_publish(version, at=at)
    return version


def _problems(version: PlanVersion) -> Iterator[str]:
    entitlements, meters = list(version.entitlements.all()), list(version.meters.all())
    for entitlement in entitlements:
        yield from _entitlement_problems(entitlement)
    yield from _meter_problems(meters)
    yield from _missing_parts(version, entitlements, meters)
    yield from _price_problems(version, list(version.prices.all()), entitlements)


def _entitlement_problems(entitlement: Entitlement) -> Iterator[str]:
    code, value = entitlement.feature, entitlement.value
    try:
        check_value(code, value)
    except BadFeatureValue as error:
        yield str(error)
        return
    kind, name = FEATURES[code].kind, FEATURES[code].name
    if entitlement.per_seat and (value is None or not kind.may_be_unlimited):
        yield f"{name}: only a number can be multiplied by seats."
    after = entitlement.throttle_after
    if after is not None and (kind is not FeatureKind.COUNTER_PERIOD or value is None or after >= value):
        yield f"{name}: slowing is for what is counted per period and begins below its limit."


def _meter_problems(meters: Iterable[MeterPrice]) -> Iterator[str]:
    for meter in meters:
        unit = METERED_UNITS.get(meter.product)
        if unit is None:
            yield f"“{meter.product}” is not a metered product."
        elif meter.unit != unit:
            yield f"The product {meter.product} is counted by the {unit}, not by the {meter.unit}."


def _missing_parts(version: PlanVersion, entitlements: list[Entitlement], meters: list[MeterPrice]) -> Iterator[str]:
    """Plans are compared side by side: what another plan of the catalogue states, each must state."""
    others = {
        "version__plan__catalogue": version.plan.catalogue,
        "version__state": PlanVersion.State.PUBLISHED,
        "version__plan__is_public": True,
    }
    features = set(Entitlement.objects.filter(**others).values_list("feature", flat=True))
    for code in sorted(features - {entitlement.feature for entitlement in entitlements}):
        yield f"{FEATURES[code].name if code in FEATURES else code} is missing, though other plans state it."
    products = set(MeterPrice.objects.filter(**others).values_list("product", flat=True))
    for product in sorted(products - {meter.product for meter in meters}):
        yield f"A price for {product} is missing, though other plans state it."


def _price_problems(version: PlanVersion, prices: list[PlanPrice], entitlements: list[Entitlement]) -> Iterator[str]:
    byok_enabled = any(e.feature == "byok_enabled" and e.value is True for e in entitlements)
    byok_only = version.credential_policy == PlanVersion.CredentialPolicy.BYOK_ONLY
    if byok_only and not byok_enabled:
        yield "Bring your own key must be on where only own keys are used."
    if version.plan.is_custom:
        return  # staff agree its prices with the customer
    intervals = {
        variant: {price.interval for price in prices if price.variant == variant} for variant in PlanPrice.Variant
    }
    standard = intervals[PlanPrice.Variant.STANDARD]
    if PlanPrice.Interval.MONTHLY not in standard:
        yield "The monthly standard price is missing."
    # The toggle changes the variant and keeps the interval (K11), so both must exist.
    if intervals[PlanPrice.Variant.BYOK] != (standard if byok_enabled and not byok_only else set()):
        yield "A byok price is needed for each interval exactly where the plan can toggle to own keys."
