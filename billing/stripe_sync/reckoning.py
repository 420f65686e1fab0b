"""What a change of a subscription costs, by Stripe's own arithmetic, and how Stripe is asked to make it (P10)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import stripe

from billing.core.money import from_minor_units
from billing.core.periods import boundary
from billing.core.problems import problem
from billing.plans.models import PlanPrice
from billing.stripe_sync.reading import as_id, instant, items_of, plan_item, plan_prices

_MONTHS = {PlanPrice.Interval.MONTHLY.value: 1, PlanPrice.Interval.YEARLY.value: 12}
_LINES_OF_A_CHANGE = 2  # the credit and the charge


@dataclass(frozen=True, slots=True)
class Wanted:
    """A subscription as it is, and what its plan item is to become."""

    subscription: stripe.Subscription
    item: stripe.SubscriptionItem
    former: PlanPrice
    price: PlanPrice
    price_id: str
    quantity: int

    @property
    def is_there(self) -> bool:
        """Whether the subscription is on these terms."""
        return self.item.price.id == self.price_id and self.item.quantity == self.quantity

    @property
    def moves_anchor(self) -> bool:
        """Whether a new billing cycle begins with the change."""
        return self.former.interval != self.price.interval


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What the change costs at an instant of Stripe's clock; see `ChangePreview`."""

    credit: Decimal
    charge: Decimal
    pending: Decimal
    tax: Decimal
    net: Decimal
    proration_at: datetime
    next_at: datetime


def wanted_on(subscription: stripe.Subscription, *, price: PlanPrice, price_id: str, seats: int) -> Wanted:
    """Raises Problem: account-changed for a subscription that has no plan of ours any more."""
    found = plan_item(subscription, plan_prices([subscription]))
    if found is None:
        raise problem("account-changed", "The subscription at Stripe is not for one of our plans any more.")
    item, former = found
    return Wanted(subscription, item, former, price, price_id, seats if price.per_seat else 1)


def reckon(client: stripe.StripeClient, wanted: Wanted, *, proration_at: datetime | None, at: datetime) -> Reckoning:
    """Let Stripe reckon the change as of `proration_at`, or now by its own clock. Raises stripe.StripeError."""
    details: dict[str, Any] = {**_items(wanted), "proration_behavior": "always_invoice"}
    if proration_at is not None:
        details["proration_date"] = int(proration_at.timestamp())
    params: Any = {
        "customer": as_id(wanted.subscription.customer),
        "subscription": wanted.subscription.id,
        "subscription_details": details,
    }
    invoice = client.v1.invoices.create_preview(params)
    currency = invoice.currency.upper()
    when = proration_at or _proration_at(invoice) or at
    amounts = [line.amount for line in _lines_of_change(client, wanted, invoice, when)]
    credit = from_minor_units(-sum(amount for amount in amounts if amount < 0), currency)
    charge = from_minor_units(sum(amount for amount in amounts if amount > 0), currency)
    net = from_minor_units(invoice.total, currency)
    next_at = boundary(when, 1, _MONTHS[wanted.price.interval]) if wanted.moves_anchor else _period_end(wanted)
    tax = from_minor_units(sum(one.amount for one in invoice.total_taxes or ()), currency)
    return Reckoning(credit, charge, net - tax - charge + credit, tax, net, when, next_at)


def _lines_of_change(
    client: stripe.StripeClient, wanted: Wanted, invoice: stripe.Invoice, when: datetime
) -> list[stripe.InvoiceLineItem]:
    """The lines that begin with the change. Others wait from before, also those of a change in the same second."""
    lines = [line for line in invoice.lines.data if instant(line.period.start) >= when and line.amount != 0]
    if len(lines) <= _LINES_OF_A_CHANGE:
        return lines
    waiting = client.v1.invoice_items.list({"customer": as_id(wanted.subscription.customer), "pending": True})
    known = {item.id for item in waiting.auto_paging_iter()}
    return [line for line in lines if _invoice_item_of(line) not in known]


def _invoice_item_of(line: stripe.InvoiceLineItem) -> str:
    """The id of the invoice item behind a line; empty for a line of the subscription itself."""
    details = [getattr(line.parent, name, None) for name in ("invoice_item_details", "subscription_item_details")]
    return next((as_id(one.invoice_item) for one in details if one is not None), "")


def update_params(wanted: Wanted, reckoning: Reckoning) -> Any:
    """The change as it was reckoned: charged at once or not at all, credited with the next invoice."""
    behavior = "always_invoice" if reckoning.net > 0 or wanted.moves_anchor else "create_prorations"
    return {
        **_items(wanted),
        **keep_params(wanted.subscription),
        "proration_behavior": behavior,
        "proration_date": int(reckoning.proration_at.timestamp()),
        "payment_behavior": "error_if_incomplete",
    }


def keep_params(subscription: stripe.Subscription) -> Any:
    """What takes a planned end back; nothing where none is planned."""
    if subscription.cancel_at_period_end:
        return {"cancel_at_period_end": False, "metadata": {"next_plan": ""}}
    if subscription.cancel_at is not None:
        return {"cancel_at": "", "metadata": {"next_plan": ""}}
    return {}


def end_params(subscription: stripe.Subscription, *, next_plan_slug: str) -> Any:
    """What ends a subscription with the period that is paid for.

    Meters are monthly: beside a yearly plan they end sooner, and the last period's end is meant.
    """
    ends = {item.current_period_end for item in items_of(subscription)}
    planned: dict[str, Any] = {"cancel_at_period_end": True} if len(ends) == 1 else {"cancel_at": "max_period_end"}
    return planned | {"metadata": {"next_plan": next_plan_slug}, "proration_behavior": "none"}


def _items(wanted: Wanted) -> dict[str, Any]:
    item = {"id": wanted.item.id, "price": wanted.price_id, "quantity": wanted.quantity}
    return {"items": [item], **({"billing_cycle_anchor": "now"} if wanted.moves_anchor else {})}


def _period_end(wanted: Wanted) -> datetime:
    return instant(wanted.item.current_period_end)


def _proration_at(invoice: stripe.Invoice) -> datetime | None:
    """The instant that Stripe reckoned with: it says so, or the first prorated line begins then."""
    details = getattr(invoice.parent, "subscription_details", None)
    said = getattr(details, "subscription_proration_date", None)
    starts = [line.period.start for line in invoice.lines.data]
    seconds = said or max(starts, default=None)
    return instant(seconds) if seconds is not None else None
