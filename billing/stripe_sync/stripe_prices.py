"""Products and prices as they should be at Stripe: what fits is adopted, what is archived is woken, the rest made."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import stripe

from billing.stripe_sync.mirror import mirror

_MOST_LOOKUP_KEYS = 10  # in one request


@dataclass
class PushResult:
    """What a push did, by the ids and lookup keys at Stripe."""

    created: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)

    def add(self, other: "PushResult") -> None:
        self.created += other.created
        self.adopted += other.adopted
        self.unchanged += other.unchanged


def put_product(
    client: stripe.StripeClient,
    *,
    key: str,
    name: str,
    description: str,
    metadata: dict[str, str],
    result: PushResult,
    unit_label: str = "",
) -> None:
    """The product with this id, named so and for sale; `unit_label` is what a metered one counts."""
    found = _product(client, key)
    wanted = {"name": name, "description": description, "unit_label": unit_label}
    if found is None:
        said = {field: text for field, text in wanted.items() if text}  # Stripe takes no empty ones here
        params: Any = said | {"id": key, "metadata": metadata}
        mirror(client.v1.products.create(params))
        result.created.append(key)
    elif not found.active or any((getattr(found, field) or "") != text for field, text in wanted.items()):
        changes: Any = wanted | {"active": True}
        mirror(client.v1.products.update(key, changes))
        result.adopted.append(key)
    else:
        result.unchanged.append(key)


def prices_by_key(client: stripe.StripeClient, keys: Sequence[str]) -> dict[str, stripe.Price]:
    """The prices with these lookup keys, archived ones too."""
    found: dict[str, stripe.Price] = {}
    for start in range(0, len(keys), _MOST_LOOKUP_KEYS):
        some = list(keys[start : start + _MOST_LOOKUP_KEYS])
        for price in client.v1.prices.list({"lookup_keys": some, "limit": 100}).auto_paging_iter():
            found[str(price.lookup_key)] = price
    return found


def put_price(
    client: stripe.StripeClient, *, wanted: dict[str, Any], found: stripe.Price | None, result: PushResult
) -> tuple[stripe.Price, bool]:
    """The price with the wanted lookup key, product and amount, for sale; and whether it had to be made or woken.

    An amount at Stripe never changes: where another price carries the key, ours takes the key and that one is archived.
    """
    if found is None or not fits(found, wanted):
        params: Any = wanted | {"transfer_lookup_key": True}
        made = client.v1.prices.create(params)
        if found is not None:
            mirror(client.v1.prices.update(found.id, {"active": False}))
        mirror(made)
        result.created.append(wanted["lookup_key"])
        return made, True
    if not found.active:
        found = client.v1.prices.update(found.id, {"active": True})
        mirror(found)
        return found, True
    return found, False


def fits(found: stripe.Price, wanted: dict[str, Any]) -> bool:
    """Whether a price at Stripe charges what it should."""
    recurring = found.recurring
    has = {
        "product": found.product,
        "currency": found.currency,
        "unit_amount": found.unit_amount,
        "interval": recurring and recurring.interval,
        "interval_count": recurring and recurring.interval_count,
        "usage_type": recurring and recurring.usage_type,
        "meter": recurring and recurring.meter,
    }
    should = {
        "interval_count": 1,
        "meter": None,
        **{name: wanted[name] for name in ("product", "currency", "unit_amount")},
        **wanted["recurring"],
    }
    return has == should


def _product(client: stripe.StripeClient, key: str) -> stripe.Product | None:
    try:
        return client.v1.products.retrieve(key)
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        return None
