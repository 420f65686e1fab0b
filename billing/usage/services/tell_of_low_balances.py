from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from billing.core.money import spell_amount
from billing.credits.queries import Balance, balance_of
from billing.notifications.kinds import Kind
from billing.notifications.services.publish_events import publish_events
from billing.notifications.services.tell_tenants import Message, tell_tenants
from billing.subscriptions.models import BillingAccount
from billing.usage.events_told import fact_of_low_balance
from billing.usage.models import LowBalance

KIND = Kind.LOW_BALANCE
# A balance is never below zero, so that a grant of the threshold or more has lifted it above, however briefly.
_FORGET = """
    DELETE FROM billing_usage_lowbalance AS b
     USING billing_subscriptions_billingaccount AS a, billing_credits_ledgeraccount AS l
     WHERE a.id = b.account_id AND l.id = a.credits_id
       AND (l.credits_posted - l.debits_posted >= a.low_balance_threshold
            OR EXISTS (SELECT FROM billing_credits_grant AS g
                        WHERE g.account_id = l.id AND g.created_at > b.told_at AND g.amount >= a.low_balance_threshold))
"""


def forget_recovered() -> int:
    """Let accounts be told again whose balance has been above its threshold since they were told; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        forgotten: int = cursor.rowcount
    return forgotten


def tell_of_low_balances(accounts: Sequence[BillingAccount], *, at: datetime) -> int:
    """Tell of balances below the customer's threshold, once until they have recovered (M9); answers how many are new.

    Of accounts that pay with credits, read with their tenant and credits; a threshold of zero is never passed.
    Two queries, some more where somebody is told and where credits have expired that no worker has swept.
    """
    low = {account.id: (account, balance) for account in accounts if (balance := _low(account, at)) is not None}
    told = set(LowBalance.objects.filter(account_id__in=low).values_list("account_id", flat=True)) if low else set()
    new = [low[account_id] for account_id in sorted(low.keys() - told)]
    LowBalance.objects.bulk_create([LowBalance(account_id=account.id, told_at=at) for account, _ in new])
    tell_tenants([_message(account, balance, at) for account, balance in new], at=at)
    publish_events([fact_of_low_balance(account, balance, at) for account, balance in new], at=at)
    return len(new)


def _low(account: BillingAccount, at: datetime) -> Balance | None:
    """The balance, if it is below the threshold."""
    prepaid = account.credits
    if prepaid.next_expiry_at is not None and prepaid.next_expiry_at <= at:
        balance = balance_of(credits_id=account.credits_id, receivable_id=account.receivable_id, at=at)
    else:
        balance = Balance(prepaid.currency, prepaid.balance, prepaid.debits_pending, Decimal(0))
    return balance if balance.posted < account.low_balance_threshold else None


def _message(account: BillingAccount, balance: Balance, at: datetime) -> Message:
    left = spell_amount(balance.posted, balance.currency)
    threshold = spell_amount(account.low_balance_threshold, balance.currency)
    held = spell_amount(balance.held, balance.currency)
    facts = (
        f"Billing account “{account.name}” has {left} of prepaid credits left, less than the {threshold} that you want "
        "to be told at."
    )
    paragraphs = [
        facts + (f" Of them {held} are held for runs that are under way." if balance.held else ""),
        _MEANING,
        _TO_DO,
        _AGAIN,
    ]
    return Message(
        tenant_id=account.tenant_id,
        kind=KIND,
        key=f"{KIND}:{account.id.hex}:{at:%Y%m%d%H%M%S%f}",
        subject=f"{account.tenant.name}: {left} of credits left",
        body="\n\n".join(paragraphs),
    )


_MEANING = (
    "When the credits do not suffice for a run, it is refused with status 402 before it starts. Runs that are under "
    "way end as usual; what they cost beyond your credits goes on the next invoice."
)
_TO_DO = "What you can do: add credits on the page “Credits” of the console."
_AGAIN = (
    "You are told again only after the balance has been above that amount. Who manages billing can change the amount "
    "on the page “Alerts and caps”; 0 turns this e-mail off."
)
