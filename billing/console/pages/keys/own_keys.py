"""The account's switch for own keys, with what it does to the plan's price (K11)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.urls import reverse
from django.utils.http import urlencode

from billing.plans.models import PlanPrice
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount, Subscription
from billing.subscriptions.own_keys import key_rules
from billing.subscriptions.queries import subscription_at, terms_of
from vault.resolution import KeyRules

_STANDARD, _BYOK = PlanPrice.Variant.STANDARD.value, PlanPrice.Variant.BYOK.value


@dataclass(frozen=True, slots=True)
class OwnKeysPanel:
    """`rules` is what the account's plan and its switch say of keys.

    `platform_price` and `own_price` are what an interval costs on the platform's keys and on own ones, for all seats,
    in `currency`; None where the plan has no such price. `change_url` shows what switching costs before it is done;
    empty where it costs nothing. `saving_url` is there where own keys are on and still paid as the platform's.
    """

    rules: KeyRules
    plan_name: str
    interval: str
    currency: str
    platform_price: Decimal | None
    own_price: Decimal | None
    change_url: str
    saving_url: str

    @property
    def is_on(self) -> bool:
        return self.rules.own_keys or self.rules.byok_only

    @property
    def saving(self) -> Decimal:
        """What an interval is cheaper by on own keys."""
        if self.platform_price is None or self.own_price is None:
            return Decimal(0)
        return max(self.platform_price - self.own_price, Decimal(0))


def own_keys_panel(account: BillingAccount, at: datetime) -> OwnKeysPanel | None:
    """None without a plan. Nine queries at most."""
    try:
        terms, subscription = terms_of(account.id, at), subscription_at(account.id, at)
    except NoActivePlan:
        return None
    rules = key_rules(terms)
    prices = {
        price.variant: price.amount * (subscription.seats if price.per_seat else 1)
        for price in subscription.plan_version.prices.all()
        if price.interval == subscription.interval
    }
    differ = len(set(prices.values())) > 1
    wanted = _STANDARD if rules.own_keys else _BYOK
    pays_too_much = rules.own_keys and subscription.variant == _STANDARD and differ
    return OwnKeysPanel(
        rules=rules,
        plan_name=terms.plan_name,
        interval=subscription.interval,
        currency=terms.currency,
        platform_price=prices.get(_STANDARD),
        own_price=prices.get(_BYOK),
        change_url=_change_url(subscription, wanted) if differ and subscription.variant != wanted else "",
        saving_url=_change_url(subscription, _BYOK) if pays_too_much else "",
    )


def _change_url(subscription: Subscription, variant: str) -> str:
    """The page that shows what the other price comes to, and confirms it."""
    query = {
        "plan": subscription.plan_version.plan.slug,
        "terms": f"{subscription.interval}-{variant}",
        "seats": str(subscription.seats),
    }
    return f"{reverse('console:plan_change')}?{urlencode(query)}"
