from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import Problem, problem
from billing.subscriptions.control_checks import check_amounts
from billing.subscriptions.models import BillingAccount, SpendControls
from billing.subscriptions.own_caps import overage_price
from billing.subscriptions.queries import spend_controls, terms_of
from billing.subscriptions.terms import AccountTerms
from tenants.services.record_audit import Actor, record_audit

_FIELDS = ("overage_enabled", "overage_ceiling", "daily_cap", "user_daily_cap", "burn_alerts")


@transaction.atomic
def set_spend_controls(
    *,
    account_id: UUID,
    overage_enabled: bool,
    overage_ceiling: Decimal | None,
    daily_cap: Decimal | None,
    user_daily_cap: Decimal | None,
    burn_alerts: bool,
    low_balance_threshold: Decimal | None,
    at: datetime,
    actor: Actor,
) -> SpendControls:
    """Set an account's own caps, its opt-in to overage and its alerts (P8, M9). Amounts are in the account's currency.

    A cap or ceiling of None is none; a threshold of None stays as it is. What changes holds for the next run in every
    process, since a trigger raises the account's version; what does not change writes nothing.
    Raises Problem: invalid-request with each field that is wrong, overage-not-offered for an opt-in on a plan that
    sells no executions; NoActivePlan for an opt-in without a plan.
    """
    account = BillingAccount.objects.select_for_update(no_key=True).get(id=account_id)
    controls = spend_controls(account_id)
    before = _told(controls, account)
    terms = terms_of(account_id, at) if overage_enabled and not controls.overage_enabled else None
    amounts = {"overage_ceiling": overage_ceiling, "daily_cap": daily_cap, "user_daily_cap": user_daily_cap}
    check_amounts(
        {**amounts, "low_balance_threshold": low_balance_threshold},
        overage_enabled=overage_enabled,
        price=_price(terms) if terms is not None else None,
        currency=account.currency,
    )
    for name, value in {**amounts, "overage_enabled": overage_enabled, "burn_alerts": burn_alerts}.items():
        setattr(controls, name, value)
    if low_balance_threshold is not None:
        account.low_balance_threshold = low_balance_threshold
    after = _told(controls, account)
    if after != before:
        _save(controls, account, before=before, after=after, at=at, actor=actor)
    return controls


def _price(terms: AccountTerms) -> Decimal:
    price = overage_price(terms.limits, terms.meters)
    if price is None:
        raise _not_offered(terms)
    return price


def _not_offered(terms: AccountTerms) -> Problem:
    if terms.limit("executions_per_month").number is None:
        detail = f"The plan “{terms.plan_name}” has no limit on executions, so that none is past it."
        remedy = "Nothing needs to be allowed: executions run without a limit."
    else:
        detail = f"The plan “{terms.plan_name}” sells no executions past its limit."
        remedy = "Choose a plan that does, or one with a higher limit."
    return problem("overage-not-offered", detail, limit_source=f"plan:{terms.plan_slug}", remedy=remedy)


def _save(
    controls: SpendControls,
    account: BillingAccount,
    *,
    before: dict[str, Any],
    after: dict[str, Any],
    at: datetime,
    actor: Actor,
) -> None:
    if any(before[name] != after[name] for name in _FIELDS):
        controls.changed_at = at
        controls.save()
    BillingAccount.objects.filter(id=account.id).update(low_balance_threshold=account.low_balance_threshold)
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="spend_controls.changed",
        target=encode_id("acc", account.id),
        at=at,
        detail={"before": before, "after": after, "currency": account.currency},
    )


def _told(controls: SpendControls, account: BillingAccount) -> dict[str, Any]:
    """The settings as the audit log tells them, amounts with two decimals."""
    values = {name: getattr(controls, name) for name in _FIELDS}
    values["low_balance_threshold"] = account.low_balance_threshold
    return {name: f"{value:.2f}" if isinstance(value, Decimal) else value for name, value in values.items()}
