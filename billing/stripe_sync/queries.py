"""What is read of the work with Stripe."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from djstripe.models import Customer, PaymentMethod, Subscription

from billing.stripe_sync.client import is_configured
from billing.stripe_sync.models import InboxEvent, RefusedDetails, StripeCustomer
from billing.subscriptions.queries import governing_agreement


@dataclass(frozen=True, slots=True)
class InboxLag:
    """How far behind the inbox is: events waiting, given up, and how long the oldest that waits has been here."""

    waiting: int
    failed: int
    oldest: timedelta


def inbox_lag(*, at: datetime) -> InboxLag:
    """The inbox at a moment, by its partial indexes or a count (S4)."""
    state = InboxEvent.State
    found = InboxEvent.objects.filter(state__in=[state.PENDING, state.FAILED]).aggregate(
        waiting=Count("id", filter=Q(state=state.PENDING)),
        failed=Count("id", filter=Q(state=state.FAILED)),
        since=Min("received_at", filter=Q(state=state.PENDING)),
    )
    oldest = max(at - found["since"], timedelta()) if found["since"] else timedelta()
    return InboxLag(found["waiting"], found["failed"], oldest)


@dataclass(frozen=True, slots=True)
class DetailsAtStripe:
    """Whether Stripe has an account's billing details: `state` is waiting, taken or refused.

    `problem` says of a refusal what it is, and `field` of which field.
    """

    state: str
    field: str = ""
    problem: str = ""


_REFUSALS = {
    RefusedDetails.TAX_ID.value: DetailsAtStripe(
        "refused",
        "tax_id",
        "The card processor does not take this tax ID: it is no valid one of its country. Taxes are computed without "
        "it until it is corrected; all other details are in effect.",
    ),
    RefusedDetails.CUSTOMER.value: DetailsAtStripe(
        "refused",
        "",
        "The card processor does not take this name or address. Taxes are computed by what it had before until it is "
        "corrected.",
    ),
}


def details_at_stripe(account_id: UUID) -> DetailsAtStripe | None:
    """Whether Stripe has what was said last; None where nothing was said, or Stripe does not know the account (I1).

    One query.
    """
    if not is_configured():
        return None
    customers = StripeCustomer.objects.filter(account_id=account_id, deleted_at=None, account__details__isnull=False)
    row = customers.values_list("account__details__revision", "details_revision", "details_refused").first()
    if row is None:
        return None
    said, pushed, refused = row
    return DetailsAtStripe("waiting") if said > pushed else _REFUSALS.get(refused, DetailsAtStripe("taken"))


@dataclass(frozen=True, slots=True)
class MaskedCard:
    """All that is shown of a card (I3); the default one is charged."""

    id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    is_default: bool


def payment_methods_of(account_id: UUID) -> list[MaskedCard]:
    """The account's cards as of the last read of Stripe, the default one first; four queries (I3)."""
    customer = _mirrored_customer(account_id)
    if customer is None:
        return []
    chosen = _charged_card(account_id) or _id_in(customer.stripe_data.get("invoice_settings"), "default_payment_method")
    rows = PaymentMethod.objects.filter(customer__id=customer.id).values_list("stripe_data", flat=True)
    theirs = [data for data in rows if data.get("type") == "card" and _id_in(data, "customer") == customer.id]
    cards = [_card(data, chosen) for data in theirs]
    return sorted(cards, key=lambda card: (not card.is_default, card.id))


def _mirrored_customer(account_id: UUID) -> Customer | None:
    ours = StripeCustomer.objects.filter(account_id=account_id, deleted_at__isnull=True)
    return Customer.objects.filter(id__in=ours.values("customer_id")).first()


def _charged_card(account_id: UUID) -> str:
    """The card that the plan's subscription names, which is charged before the customer's own default."""
    agreement = governing_agreement(account_id)
    if agreement is None:
        return ""
    copy = Subscription.objects.filter(id=agreement.external_id).values_list("stripe_data", flat=True).first()
    return _id_in(copy, "default_payment_method")


def _id_in(data: Mapping[str, Any] | None, name: str) -> str:
    """The id of what stands under a name: an id, an object where it was expanded, or nothing."""
    found = (data or {}).get(name) or ""
    return str(found["id"] if isinstance(found, Mapping) else found)


def _card(data: Mapping[str, Any], chosen: str) -> MaskedCard:
    card = data["card"]
    return MaskedCard(
        id=data["id"],
        brand=card["brand"],
        last4=card["last4"],
        exp_month=card["exp_month"],
        exp_year=card["exp_year"],
        is_default=data["id"] == chosen,
    )
