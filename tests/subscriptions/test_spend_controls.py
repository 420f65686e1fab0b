"""A customer's own caps, its opt-in to overage, and its alerts."""

from decimal import Decimal
from typing import Any

import pytest

from billing.core.problems import Problem
from billing.subscriptions.models import BillingAccount, SpendControls
from billing.subscriptions.queries import spend_controls, terms_of
from billing.subscriptions.services.override_entitlement import override_entitlement
from billing.subscriptions.services.set_spend_controls import set_spend_controls
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_account, make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def put(account: BillingAccount, **changes: Any) -> SpendControls:
    nothing = {"overage_ceiling": None, "daily_cap": None, "user_daily_cap": None, "low_balance_threshold": None}
    values = {"overage_enabled": False, "burn_alerts": True, **nothing, **changes}
    return set_spend_controls(account_id=account.id, at=AT, actor=SYSTEM, **values)


def wrong(account: BillingAccount, **changes: Any) -> dict[str, str]:
    """What is told of each field that is refused."""
    with pytest.raises(Problem) as refused:
        put(account, **changes)
    assert refused.value.code == "invalid-request"
    return {error.field: error.detail for error in refused.value.errors}


def sources(account: BillingAccount) -> dict[str, tuple[Any, str]]:
    limits = terms_of(account.id, AT).limits
    return {code: (limits[code].value, limits[code].source) for code in limits if code.startswith("spend_cap")}


def test_nothing_is_set_at_first() -> None:
    """P8: overage is off until the customer opts in, and no row is needed for that."""
    account = make_account(make_tenant(), "pro")
    controls = spend_controls(account.id)
    assert (controls.overage_enabled, controls.daily_cap, controls.burn_alerts) == (False, None, True)
    assert terms_of(account.id, AT).overage is None
    assert not SpendControls.objects.exists()


def test_opt_in_and_out() -> None:
    """P8: the price is the plan's, the ceiling the customer's; each change holds for the next decision."""
    account = make_account(make_tenant(), "pro")
    put(account, overage_enabled=True, overage_ceiling=Decimal(25))
    terms = terms_of(account.id, AT)
    assert terms.overage is not None
    assert (terms.overage.price, terms.overage.ceiling) == (Decimal("0.01"), 25)
    put(account, overage_ceiling=Decimal(25))
    again = terms_of(account.id, AT)
    assert (again.overage, again.version > terms.version) == (None, True)
    assert spend_controls(account.id).overage_ceiling == 25


def test_own_caps_only_lower_the_plans() -> None:
    """M9: the lower one of plan and customer holds, and is named; a cap that the plan has not is the customer's."""
    account = make_account(make_tenant(), "free")
    put(account, user_daily_cap=Decimal("0.50"), daily_cap=Decimal(9))
    assert sources(account) == {"spend_cap_per_user_day": ("0.50", "cap"), "spend_cap_per_day": ("9.00", "cap")}
    put(account, user_daily_cap=Decimal("1.01"))
    assert sources(account) == {"spend_cap_per_user_day": ("1.00", "plan:free")}


def test_no_overage_where_no_execution_is_sold() -> None:
    """P8: plans without a price, and plans without a limit, say so; what was allowed before may stay."""
    for slug, told in (("payg", "has no limit on executions"), ("starter", "has no limit on executions")):
        with pytest.raises(Problem, match=told) as refused:
            put(make_account(make_tenant(), slug), overage_enabled=True, overage_ceiling=Decimal(5))
        assert (refused.value.code, refused.value.status) == ("overage-not-offered", 402)
        assert refused.value.limit_source == f"plan:{slug}"
    account = make_account(make_tenant(), "pro")
    put(account, overage_enabled=True, overage_ceiling=Decimal(5))
    override_entitlement(account_id=account.id, feature="executions_per_month", value=None, reason="deal", at=AT)
    assert put(account, overage_enabled=True, overage_ceiling=Decimal(5), daily_cap=Decimal(1)).daily_cap == 1
    assert terms_of(account.id, AT).overage is None


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("daily_cap", "-0.01", "cannot be negative"),
        ("user_daily_cap", "1.001", "at most 2 decimals"),
        ("overage_ceiling", "1000000.01", "highest amount is 1,000,000.00 USD"),
        ("low_balance_threshold", "-1", "cannot be negative"),
        ("daily_cap", "NaN", "not an amount"),
    ],
)
def test_amounts_that_cannot_be(field: str, value: str, told: str) -> None:
    """M9: each wrong amount is told at its field; nothing is saved."""
    account = make_account(make_tenant(), "pro")
    assert told in wrong(account, **{field: Decimal(value)})[field]
    assert not SpendControls.objects.exists()


def test_every_wrong_field_is_told_at_once() -> None:
    """M9: nobody corrects one field to hear of the next."""
    account = make_account(make_tenant(), "pro")
    assert set(wrong(account, daily_cap=Decimal(-1), user_daily_cap=Decimal(-1))) == {"daily_cap", "user_daily_cap"}


def test_opt_in_needs_a_ceiling_that_pays_for_something() -> None:
    """P8: whoever opts in says how much it may cost."""
    account = make_account(make_tenant(), "pro")
    assert "Say how much" in wrong(account, overage_enabled=True)["overage_ceiling"]
    low = wrong(account, overage_enabled=True, overage_ceiling=Decimal(0))
    assert low == {"overage_ceiling": "The ceiling does not pay for a single execution: one costs 0.01 USD."}


def test_changes_are_in_the_audit_log_and_nothing_else_is() -> None:
    """M9: before and after, by whom; the same again changes neither log nor version."""
    account = make_account(make_tenant(), "pro")
    account.refresh_from_db()
    for _ in range(2):
        put(account, daily_cap=Decimal(5), low_balance_threshold=Decimal("2.5"), burn_alerts=False)
        version = BillingAccount.objects.get(id=account.id).version
    line = AuditEvent.objects.get(action="spend_controls.changed")
    assert (
        line.detail["before"] | {"daily_cap": "5.00", "low_balance_threshold": "2.50", "burn_alerts": False}
        == (line.detail["after"])
    )
    assert BillingAccount.objects.get(id=account.id).version == version == account.version + 1
    assert BillingAccount.objects.get(id=account.id).low_balance_threshold == Decimal("2.5")
    put(account, daily_cap=Decimal(5), low_balance_threshold=Decimal(3), burn_alerts=False)
    assert BillingAccount.objects.get(id=account.id).version == version
    assert AuditEvent.objects.filter(action="spend_controls.changed").count() == 2
