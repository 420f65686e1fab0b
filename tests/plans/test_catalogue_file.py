"""Plan catalogues: the shipped numbers, and what a file is refused for."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from billing.plans.catalogue_file import (
    CATALOGUE_FOLDER,
    METERED_UNITS,
    parse_catalogue,
    read_catalogues,
    shipped_catalogues,
)
from billing.plans.catalogue_spec import Catalogue, CredentialPolicy, EntitlementValue, PlanSpec, UsageFunding
from billing.plans.data_table import DataFileError
from billing.plans.price_list_file import shipped_price_list

TIERS = ("free", "pro", "team", "enterprise")
DAY = 86_400
GIB = 1024**3

SMALL = """
[catalogue]
slug = "small"
name = "Small"
currency = "USD"

[[plans]]
slug = "zero"
name = "Zero"
description = "Nothing to pay."
position = 1
is_public = true
is_custom = false
usage_funding = "included"
credential_policy = "platform"
default = true
prices = [{ interval = "monthly", variant = "standard", amount = 0.00, per_seat = false }]
[plans.entitlements]
agents_limit = 1
executions_per_month = { value = 10, throttle_after = 5, throttle_per_minute = 1 }
spend_cap_per_user_day = 1.00
channels = ["webhook"]
mcp_enabled = false
support = "Community"
[plans.meters]
pstn = { unit_price = 0.02, included = 0 }
"""

SECOND = SMALL[SMALL.index("[[plans]]") :]
SECOND = SECOND.replace('"zero"', '"one"').replace("position = 1", "position = 2")
SECOND = SECOND.replace("default = true", "default = false")


def make_catalogue(text: str = SMALL) -> Catalogue:
    return parse_catalogue(text, source="small.toml")


def shipped_plan(slug: str) -> PlanSpec:
    return next(plan for catalogue in shipped_catalogues() for plan in catalogue.plans if plan.slug == slug)


def values(plan: PlanSpec) -> dict[str, EntitlementValue]:
    return {entitlement.feature: entitlement.value for entitlement in plan.entitlements}


def prices(plan: PlanSpec) -> dict[tuple[str, str], str]:
    return {(price.interval.value, price.variant.value): str(price.amount) for price in plan.prices}


def test_shipped_catalogues_and_their_plans() -> None:
    """P4: four catalogues, loaded from files."""
    assert {catalogue.slug: [plan.slug for plan in catalogue.plans] for catalogue in shipped_catalogues()} == {
        "credits": ["payg"],
        "platform": ["platform-starter", "platform-growth", "platform-scale"],
        "tiers": ["free", "pro", "team", "enterprise"],
        "tokens": ["starter", "developer"],
    }


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("agents_limit", (3, 20, None, None)),
        ("executions_per_month", (100, 5_000, 25_000, None)),
        ("sandbox_tries_per_day", (5, 50, 200, None)),
        ("channels", (("webhook",), ("all",), ("all", "priority"), ("all", "dedicated"))),
        ("log_retention_seconds", (DAY, 30 * DAY, 90 * DAY, 365 * DAY)),
        ("support", ("Community", "Email", "Priority email", "Dedicated")),
        ("sla", ("None", "None", "99.5% uptime", "99.9% uptime")),
        ("max_tokens_per_execution", (50_000, 50_000, 50_000, 50_000)),
        ("spend_cap_per_user_day", (Decimal(1), Decimal(5), Decimal(20), None)),
        ("byok_enabled", (True, True, True, True)),
    ],
)
def test_row_of_the_tier_table(feature: str, expected: tuple[EntitlementValue, ...]) -> None:
    """P4, M9: every row of the tier table, and the caps that go with it."""
    assert tuple(values(shipped_plan(slug))[feature] for slug in TIERS) == expected


@pytest.mark.parametrize(
    ("slug", "standard", "byok", "per_seat"),
    [("free", "0.00", "0.00", False), ("pro", "9.00", "5.00", False), ("team", "29.00", "19.00", True)],
)
def test_monthly_prices_of_the_tiers(slug: str, standard: str, byok: str, per_seat: bool) -> None:
    """P2, P4: standard and BYOK prices, Team's by seat."""
    plan = shipped_plan(slug)
    assert prices(plan)["monthly", "standard"] == standard
    assert prices(plan)["monthly", "byok"] == byok
    assert {price.per_seat for price in plan.prices} == {per_seat}


def test_enterprise_has_no_listed_price() -> None:
    """P2: a custom plan's prices are set by staff."""
    enterprise = shipped_plan("enterprise")
    assert (enterprise.is_custom, enterprise.prices) == (True, ())


@pytest.mark.parametrize(
    ("slug", "per_seat", "after", "per_minute"),
    [
        ("free", False, None, None),
        ("pro", False, 3_000, 1),
        ("team", True, 15_000, 1),
        ("enterprise", False, None, None),
    ],
)
def test_throttle_of_the_tiers(slug: str, per_seat: bool, after: int | None, per_minute: int | None) -> None:
    """P7: Pro and Team are slowed before the limit, Free stops hard at it."""
    executions = next(e for e in shipped_plan(slug).entitlements if e.feature == "executions_per_month")
    assert (executions.per_seat, executions.throttle_after, executions.throttle_per_minute) == (
        per_seat,
        after,
        per_minute,
    )


def test_models_denied_to_free() -> None:
    """M9: Opus and GPT-4o are too dear for Free, at every provider that sells them; the small models are not."""
    denied = values(shipped_plan("free"))["denied_models"]
    assert isinstance(denied, tuple)
    refused = {m.model for m in shipped_price_list().models if any(fnmatchcase(m.model, p) for p in denied)}
    assert {"gpt-4o", "openai/gpt-4o", "claude-opus-5-5", "anthropic/claude-opus-5.5"} <= refused
    assert not refused & {"gpt-4o-mini", "openai/gpt-4o-mini", "claude-haiku-4-5", "claude-sonnet-5-5", "gpt-5-mini"}


def test_paid_tiers_deny_no_model() -> None:
    """M9: the list of denied models is Free's alone."""
    assert [values(shipped_plan(slug))["denied_models"] for slug in TIERS[1:]] == [(), (), ()]


@pytest.mark.parametrize(
    ("slug", "name", "price", "tokens", "sessions"),
    [("starter", "Free", "0.00", 15_000_000, 3), ("developer", "Developer", "29.00", 65_000_000, 10)],
)
def test_token_allowances(slug: str, name: str, price: str, tokens: int, sessions: int) -> None:
    """P4: tokens per period and sessions at once."""
    plan = shipped_plan(slug)
    assert plan.name == name
    assert prices(plan) == {("monthly", "standard"): price}
    assert values(plan)["tokens_per_month"] == tokens
    assert values(plan)["concurrent_sessions_limit"] == sessions


def test_pay_as_you_go() -> None:
    """P4: usage comes out of credits, there is no fee, and every metered product has a price from the first unit."""
    plan = shipped_plan("payg")
    assert plan.usage_funding is UsageFunding.CREDITS
    assert plan.is_free
    assert values(plan)["executions_per_month"] is None
    assert values(plan)["kb_storage_bytes_limit"] == 5 * GIB
    assert {meter.product for meter in plan.meters} == METERED_UNITS.keys() - {"executions"}
    assert {meter.included for meter in plan.meters} == {0}


@pytest.mark.parametrize("slug", ["platform-starter", "platform-growth", "platform-scale"])
def test_platform_fee_plans(slug: str) -> None:
    """P4: strictly own keys, a monthly and a yearly fee, limits, and metered minutes, storage and callbacks."""
    plan = shipped_plan(slug)
    assert plan.credential_policy is CredentialPolicy.BYOK_ONLY
    assert prices(plan).keys() == {("monthly", "standard"), ("yearly", "standard")}
    assert {"agents_limit", "kb_storage_bytes_limit", "kb_max_upload_bytes_limit", "mcp_enabled"} <= values(plan).keys()
    assert {"pstn": "minute", "kb_storage": "gb_month", "callbacks": "callback"}.items() <= {
        meter.product: meter.unit for meter in plan.meters
    }.items()


def test_no_shipped_meter_is_free() -> None:
    """P4: past what is included, nothing runs for nothing."""
    for catalogue in shipped_catalogues():
        assert all(meter.unit_price > 0 for plan in catalogue.plans for meter in plan.meters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('currency = "USD"', 'currency = "usd"'), "catalogue.currency: must be a currency code"),
        (('slug = "zero"', 'slug = "Zero"'), "plans[0].slug: must be lower-case words"),
        (("position = 1", "position = -1"), "plans[zero].position: must be a whole number"),
        (("position = 1\n", ""), "plans[zero].position: is missing"),
        (("is_public = true", "is_public = 1"), "plans[zero].is_public: must be true or false"),
        (("is_public = true", "is_public = true\ncolour = 1"), "plans[zero].colour: is not a known key"),
        (
            ('usage_funding = "included"', 'usage_funding = "gift"'),
            "plans[zero].usage_funding: must be one of included",
        ),
        (("amount = 0.00", "amount = 0.001"), "plans[zero].prices[0].amount: has more than 2 decimals"),
        (("amount = 0.00", "amount = -1"), "plans[zero].prices[0].amount: must be a number of at least 0"),
        (("amount = 0.00", "amount = nan"), "plans[zero].prices[0].amount: must be a number of at least 0"),
        (("amount = 0.00", 'amount = "0"'), "plans[zero].prices[0].amount: must be a number"),
        (('interval = "monthly"', 'interval = "yearly"'), "plans[zero].prices: lack the monthly standard price"),
        (("amount = 0.00", "amount = 1.00"), "plans: need exactly one default, and it must cost nothing"),
        (("default = true", "default = false"), "plans: need exactly one default"),
        (("is_custom = false", "is_custom = true"), "plans[zero].prices: of a custom plan are set by staff"),
        (("agents_limit = 1", "agents = 1"), "plans[zero].entitlements.agents: is not a known feature"),
        (("agents_limit = 1", "agents_limit = 1.5"), "plans[zero].entitlements.agents_limit: must be a whole number"),
        (("agents_limit = 1", "agents_limit = 9_223_372_036_854_775_808"), "entitlements.agents_limit: is too large"),
        (("agents_limit = 1", "agents_limit = true"), "plans[zero].entitlements.agents_limit: must be a whole number"),
        (("mcp_enabled = false", 'mcp_enabled = "unlimited"'), "plans[zero].entitlements.mcp_enabled: must be true"),
        (('["webhook"]', '["a", "a"]'), "plans[zero].entitlements.channels: names the same entry twice"),
        (('["webhook"]', '"webhook"'), "plans[zero].entitlements.channels: must be a list of texts"),
        (('"Community"', '" "'), "plans[zero].entitlements.support: must be a text"),
        (("throttle_after = 5", "throttle_after = 10"), "executions_per_month.throttle_after: must be below the limit"),
        (("value = 10", 'value = "unlimited"'), "executions_per_month.throttle_after: must be below the limit"),
        (("throttle_after = 5, ", ""), "executions_per_month.throttle_after: is missing"),
        (
            ("agents_limit = 1", "agents_limit = { value = 3, throttle_after = 1, throttle_per_minute = 1 }"),
            "per period",
        ),
        (("mcp_enabled = false", "mcp_enabled = { value = true, per_seat = true }"), "mcp_enabled.per_seat: can only"),
        (("pstn = {", "fax = {"), "plans[zero].meters.fax: is not a metered product"),
        (("unit_price = 0.02", "unit_price = 0.0000000001"), "meters.pstn.unit_price: has more than 9 decimals"),
        (("mcp_enabled = false", "mcp_enabled = false\nbyok_enabled = true"), "prices: need a byok price"),
        (('policy = "platform"', 'policy = "byok_only"'), "entitlements.byok_enabled: must be true"),
        (("[catalogue]", "[catalogue"), "is not TOML"),
    ],
)
def test_bad_catalogue_is_refused_by_table_and_key(change: tuple[str, str], message: str) -> None:
    """P1: an error names the file, the table and the key."""
    assert change[0] in SMALL
    with pytest.raises(DataFileError, match=r"\Asmall\.toml: .*" + re.escape(message)):
        make_catalogue(SMALL.replace(*change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("agents_limit = 1\n", ""), "plans[one].entitlements.agents_limit: is missing, though other plans state it"),
        (("pstn = { unit_price = 0.02, included = 0 }", ""), "plans[one].meters.pstn: is missing"),
        (('slug = "one"', 'slug = "zero"'), "plans: give one slug twice"),
        (("position = 2", "position = 1"), "plans: give one position twice"),
        (("default = false", "default = true"), "plans: need exactly one default"),
    ],
)
def test_plans_must_fit_each_other(change: tuple[str, str], message: str) -> None:
    """P3: a comparison of plans has no holes."""
    assert change[0] in SECOND
    with pytest.raises(DataFileError, match=re.escape(message)):
        make_catalogue(SMALL + SECOND.replace(*change))


def test_interval_and_variant_once_per_plan() -> None:
    """P2: one price for each interval and variant."""
    price = '{ interval = "monthly", variant = "standard", amount = 0.00, per_seat = false }'
    with pytest.raises(DataFileError, match="give one interval and variant twice"):
        make_catalogue(SMALL.replace(price, f"{price}, {price}"))


def test_slug_is_unique_over_all_files(tmp_path: Path) -> None:
    """P1: an account's plan is named by its slug alone."""
    files = [tmp_path / "a.toml", tmp_path / "b.toml"]
    for file in files:
        file.write_text(SMALL)
    with pytest.raises(DataFileError, match=re.escape("b.toml: plans[zero].slug: is taken by a.toml")):
        read_catalogues(files)


def test_digest_ignores_spelling() -> None:
    """P1: loading the same catalogue again makes no new version, however its numbers are written."""
    plan = make_catalogue().plans[0]
    respelt = make_catalogue(SMALL.replace("0.00", "0").replace("= 1.00", "= 1.0")).plans[0]
    reordered = replace(plan, entitlements=tuple(reversed(plan.entitlements)))
    assert plan.digest(currency="USD") == respelt.digest(currency="USD") == reordered.digest(currency="USD")


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: replace(plan, name="Nil"),
        lambda plan: replace(plan, prices=(replace(plan.prices[0], amount=Decimal(1)),)),
        lambda plan: replace(plan, entitlements=plan.entitlements[1:]),
        lambda plan: replace(plan, meters=(replace(plan.meters[0], included=Decimal(1)),)),
    ],
)
def test_digest_sees_every_change(change: Callable[[PlanSpec], PlanSpec]) -> None:
    """P1: a changed plan becomes a new version."""
    plan = make_catalogue().plans[0]
    assert change(plan).digest(currency="USD") != plan.digest(currency="USD")


def test_digest_sees_the_currency() -> None:
    """P1: the same number in another currency is another price."""
    plan = make_catalogue().plans[0]
    assert plan.digest(currency="USD") != plan.digest(currency="EUR")


def test_json_values_are_exact() -> None:
    """M11: an amount leaves as a string, a list as a list."""
    plan = make_catalogue().plans[0]
    assert {e.feature: e.json_value for e in plan.entitlements} == {
        "agents_limit": 1,
        "executions_per_month": 10,
        "spend_cap_per_user_day": "1.00",
        "channels": ["webhook"],
        "mcp_enabled": False,
        "support": "Community",
    }


def test_every_file_in_the_folder_is_shipped() -> None:
    """P4: what lies in the folder is what `shipped_catalogues` reads."""
    assert len(shipped_catalogues()) == len(list(CATALOGUE_FOLDER.iterdir()))
