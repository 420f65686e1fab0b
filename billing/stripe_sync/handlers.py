"""Which service reads what an event is about afresh (S4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from billing.stripe_sync.models import InboxEvent, StripeCustomer
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_connected_account import sync_connected_account
from billing.stripe_sync.services.sync_credit_note import sync_credit_note
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.stripe_sync.services.sync_payment import sync_payment
from billing.stripe_sync.services.sync_transfer import sync_transfer


@dataclass(frozen=True, slots=True, order=True)
class Work:
    """A fresh read that an event asks for; the same work of several events is done once."""

    kind: str
    key: str


_OF_A_CUSTOMER = frozenset({"customer", "payment_method", "subscription", "invoice"})


def works_of(event: InboxEvent) -> frozenset[Work]:
    """What is to be read again because of an event; nothing for what we do not follow."""
    return frozenset(_works_of(event))


def _works_of(event: InboxEvent) -> Iterator[Work]:
    if event.connected_account:
        if event.object_type in {"account", "application"}:
            yield Work("account", event.connected_account)
        return
    if event.object_type in _OF_A_CUSTOMER and event.customer_id:
        yield Work("customer", event.customer_id)
    if event.object_type in READERS and event.object_type != "customer" and event.object_id:
        yield Work(event.object_type, event.object_id)


def do_work(work: Work, *, at: datetime) -> bool:
    """Read it afresh and apply it; False where it is not ours. Raises what reading and applying raise."""
    return READERS[work.kind](work.key, at)


def _customer(key: str, at: datetime) -> bool:
    account_id = StripeCustomer.objects.filter(customer_id=key).values_list("account_id", flat=True).first()
    if account_id is None:
        return False
    sync_customer(account_id=account_id, at=at)
    return True


def _checkout(key: str, at: datetime) -> bool:
    sync_checkout(session_id=key, at=at)
    return True


def _payment(kind: str) -> "Reader":
    return lambda key, at: sync_payment(kind=kind, object_id=key, at=at)


Reader = Callable[[str, datetime], bool]
READERS: dict[str, Reader] = {
    "account": lambda key, _at: sync_connected_account(external_account=key),
    "charge": lambda key, at: sync_charge(charge_id=key, at=at),
    "checkout.session": _checkout,
    "credit_note": lambda key, at: sync_credit_note(note_id=key, at=at),
    "customer": _customer,
    "dispute": _payment("dispute"),
    "invoice": lambda key, at: sync_invoice(invoice_id=key, at=at),
    "payment_intent": _payment("payment_intent"),
    "refund": _payment("refund"),
    "transfer": lambda key, at: sync_transfer(transfer_id=key, at=at),
}
"""The reads by the kind of object: each answers whether it was ours."""
