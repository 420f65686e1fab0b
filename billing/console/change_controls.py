"""Changing some of the controls of an account, the others left as they are."""

from datetime import datetime
from typing import Any

from django.db import transaction

from billing.console.access import Member
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import spend_controls
from billing.subscriptions.services.set_spend_controls import set_spend_controls
from tenants.services.record_audit import Actor

_KEPT = ("overage_enabled", "overage_ceiling", "daily_cap", "user_daily_cap", "burn_alerts")


@transaction.atomic
def change_controls(member: Member, changes: dict[str, Any], *, at: datetime) -> None:
    """Change what the form of one panel holds (P8, M9). Two members at two panels lose nothing of each other's.

    Raises what `set_spend_controls` raises: Problem, NoActivePlan.
    """
    account_id = member.account.id
    BillingAccount.objects.select_for_update(no_key=True).get(id=account_id)
    controls = spend_controls(account_id)
    kept = {name: getattr(controls, name) for name in _KEPT} | {"low_balance_threshold": None}
    set_spend_controls(account_id=account_id, at=at, actor=Actor(user_id=member.user.id), **{**kept, **changes})
