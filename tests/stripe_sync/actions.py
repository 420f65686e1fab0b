"""What people do to an account, by the product and at Stripe itself, each as chance has it."""

from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import stripe as sdk

from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.invoices.services.set_billing_details import set_billing_details
from billing.stripe_sync.changes import Target
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, StripePrice
from billing.stripe_sync.reading import plan_item, plan_prices
from billing.stripe_sync.services.cancel_subscription import cancel_subscription
from billing.stripe_sync.services.change_subscription import change_subscription
from billing.stripe_sync.services.preview_change import preview_change
from billing.stripe_sync.services.push_details import push_details
from billing.stripe_sync.services.reconcile import reconcile
from billing.stripe_sync.services.resume_subscription import resume_subscription
from billing.stripe_sync.services.toggle_byok import toggle_byok
from tenants.services.record_audit import SYSTEM
from tests.stripe_sync.history import History
from tests.stripe_sync.metered import call, tell
from tests.stripe_sync.paying import DISPUTED, VISA, open_purchase
from tests.stripe_sync.plans import advance, open_checkout

CARDS = (VISA, VISA, VISA, "5555555555554444", "4000000000000002", "4000002500003155", "4000000000000341", DISPUTED)
READY_CARDS = ("pm_card_visa", "pm_card_mastercard", "pm_card_chargeCustomerFail", "pm_card_chargeCustomerFail")
DAYS = (0.02, 1, 4, 8, 31, 31, 40)


def _terms(chance: Random) -> dict[str, Any]:
    plan = chance.choice(("pro", "pro", "team", "team", "developer"))
    terms = {
        "plan": plan,
        "interval": chance.choice(("monthly", "monthly", "yearly")),
        "variant": chance.choice(("standard", "standard", "byok")),
        "seats": chance.choice((1, 2, 5)) if plan == "team" else 1,
    }
    return terms | ({"interval": "monthly", "variant": "standard"} if plan == "developer" else {})


def open_page(history: History, chance: Random) -> str | None:
    terms = _terms(chance)
    history.ask(chance, lambda: open_checkout(history.account, at=history.now, **terms))
    row = CheckoutSession.objects.filter(account=history.account, plan_price__isnull=False).first()
    return row.session_id if row is not None and row.state == CheckoutSession.State.OPEN else None


def subscribe(history: History, chance: Random) -> None:
    page = open_page(history, chance)
    if page:
        history.press(chance, page, VISA)


def pay_page(history: History, chance: Random) -> None:
    """Any page that is open, also one whose opening we never heard of."""
    key = history.customer_id()
    found = stripe_client().v1.checkout.sessions.list({"customer": key, "status": "open"}).data if key else []
    if found:
        history.press(chance, chance.choice(found).id, chance.choice(CARDS))


def pay_twice(history: History, chance: Random) -> None:
    """A page that is being paid while another one is opened cannot be closed."""
    first = open_page(history, chance)
    fault = {"path": "/expire$", "kind": "status", "status": 400, "times": 9}
    history.stripe.call("POST", "/_sandbox/faults", fault)
    second = open_page(history, Random(chance.random()))
    for page in chance.sample([first, second], 2):
        if page:
            history.press(chance, page, VISA)


def change(history: History, chance: Random) -> None:
    terms = _terms(chance)
    target = Target(chance.choice((terms["plan"], terms["plan"], "free")), *list(terms.values())[1:])

    def confirm() -> None:
        shown = preview_change(account_id=history.account.id, target=target, at=history.now)
        for _ in range(chance.choice((1, 1, 2))):
            change_subscription(
                account_id=history.account.id, target=target, expected=shown.expected, actor=SYSTEM, at=history.now
            )

    history.ask(chance, confirm)


def toggle(history: History, chance: Random) -> None:
    enabled = chance.random() < 0.5
    history.ask(
        chance, lambda: toggle_byok(account_id=history.account.id, enabled=enabled, actor=SYSTEM, at=history.now)
    )


def cancel(history: History, chance: Random) -> None:
    follows = chance.choice(("", "", "free"))
    history.ask(
        chance,
        lambda: cancel_subscription(
            account_id=history.account.id, next_plan_slug=follows, actor=SYSTEM, at=history.now
        ),
    )


def resume(history: History, chance: Random) -> None:
    history.ask(chance, lambda: resume_subscription(account_id=history.account.id, actor=SYSTEM, at=history.now))


def cancel_at_stripe(history: History, chance: Random) -> None:
    """In the portal, or by staff at once."""
    for subscription in history.live():
        if chance.random() < 0.6:
            params: Any = {"cancel_at": "max_period_end", "proration_behavior": "none"}
            stripe_client().v1.subscriptions.update(subscription.id, params)
        else:
            stripe_client().v1.subscriptions.cancel(subscription.id, {"prorate": chance.random() < 0.5})


def change_at_stripe(history: History, chance: Random) -> None:
    """Another price or number of seats, as the portal or staff choose it."""
    for subscription in history.live():
        found = plan_item(subscription, plan_prices([subscription]))
        assert found is not None
        item, former = found
        prices = StripePrice.objects.filter(
            plan_price__interval=former.interval, plan_price__version__plan__slug__in=("pro", "team")
        )
        price = chance.choice(list(prices.select_related("plan_price").order_by("lookup_key")))
        seats = chance.choice((1, 3)) if price.plan_price.per_seat else 1
        new: Any = {"id": item.id, "price": price.price_id, "quantity": seats}
        params: Any = {"items": [new], "proration_behavior": chance.choice(("create_prorations", "always_invoice"))}
        with suppress(sdk.CardError):
            stripe_client().v1.subscriptions.update(
                subscription.id, params | {"payment_behavior": "error_if_incomplete"}
            )


def swap_card(history: History, chance: Random) -> None:
    """A new default card in the portal, often one that is refused later; sometimes an old one goes."""
    key, client = history.customer_id(), stripe_client()
    if key is None:
        return
    card = client.v1.payment_methods.attach(chance.choice(READY_CARDS), {"customer": key})
    client.v1.customers.update(key, {"invoice_settings": {"default_payment_method": card.id}})
    for subscription in history.live():
        client.v1.subscriptions.update(subscription.id, {"default_payment_method": card.id})
    for old in client.v1.customers.payment_methods.list(key).data:
        if old.id != card.id and chance.random() < 0.4:
            client.v1.payment_methods.detach(old.id)


def pay_invoices(history: History, chance: Random) -> None:
    """What is open, in the portal."""
    key, client = history.customer_id(), stripe_client()
    for invoice in client.v1.invoices.list({"customer": key, "status": "open"}).data if key else ():
        with suppress(sdk.CardError):
            client.v1.invoices.pay(invoice.id)


def buy_credits(history: History, chance: Random) -> None:
    amount = chance.choice(("10", "20", "33.33", "100"))
    history.ask(chance, lambda: open_purchase(history.account, history.stripe, amount))
    row = CheckoutSession.objects.filter(account=history.account, top_up__isnull=False).first()
    if row is not None and row.session_id and chance.random() < 0.8:
        history.press(chance, row.session_id, chance.choice(CARDS))


def refund(history: History, chance: Random) -> None:
    """Part or all of a payment, by staff at Stripe."""
    charges = [one for one in stripe_client().v1.charges.list({"limit": 100}).data if one.paid]
    if charges:
        charge = chance.choice(charges)
        left = charge.amount - charge.amount_refunded
        if left and not charge.disputed:
            amount = left if chance.random() < 0.4 else chance.randint(1, left)
            stripe_client().v1.refunds.create({"charge": charge.id, "amount": amount})


def credit_at_stripe(history: History, chance: Random) -> None:
    """A credit note on an invoice, by staff at Stripe; sometimes one of an open invoice is voided again."""
    key, client = history.customer_id(), stripe_client()
    found = client.v1.invoices.list({"customer": key, "limit": 100}).data if key else []
    invoices = [one for one in found if one.parent and one.status in {"open", "paid"} and one.total > 10]
    if not invoices:
        return
    invoice = chance.choice(invoices)
    amount = chance.randint(1, invoice.total // 10)
    ways = {"open": {}, "paid": {chance.choice(("refund_amount", "credit_amount", "out_of_band_amount")): amount}}
    params: Any = {"invoice": invoice.id, "amount": amount} | ways[str(invoice.status)]
    with suppress(sdk.InvalidRequestError):  # a disputed payment, or one that is refunded
        note = client.v1.credit_notes.create(params)
        if invoice.status == "open" and chance.random() < 0.4:
            client.v1.credit_notes.void_credit_note(note.id)


def say_details(history: History, chance: Random) -> None:
    """Billing details, some of which Stripe refuses, sent at once or found by the comparison."""
    said = chance.choice(
        (
            {"name": "Acme", "country": "DE", "city": "Berlin", "tax_id": "DE123456789"},
            {"country": "FR", "tax_id": "FR12345678901"},
            {"tax_id": ""},
            dict.fromkeys(("name", "country", "city", "tax_id"), ""),
        )
    )
    set_billing_details(account_id=history.account.id, changes=said, at=history.now, actor=SYSTEM)
    if chance.random() < 0.6:
        with suppress(sdk.StripeError):
            history.ask(chance, lambda: push_details(account_id=history.account.id, at=history.now))


def end_dispute(history: History, chance: Random) -> None:
    for dispute in stripe_client().v1.disputes.list().data:
        if dispute.status not in {"won", "lost"}:
            status = chance.choice(("won", "lost"))
            history.stripe.call("POST", f"/_sandbox/disputes/{dispute.id}", {"status": status})


def wait(history: History, chance: Random) -> None:
    """Renewals are paid or fail, pages and plans end."""
    advance(history.stripe, chance.choice(DAYS))


def use(history: History, chance: Random) -> None:
    """Metered usage, reported as the periodic task does."""
    call(history.customer, history.stripe, str(chance.randint(1, 500)))
    if chance.random() < 0.8:
        history.ask(chance, lambda: tell(history.stripe), paths=["^/v1/billing"])


def delete_customer(history: History, chance: Random) -> None:
    key = history.customer_id()
    if key is not None:
        stripe_client().v1.customers.delete(key)


def compare(history: History, chance: Random) -> None:
    """The hourly comparison comes in between, and the closing of cycles."""
    reconcile(at=history.now)
    close_due_cycles(at=history.now, account_id=history.account.id)


WEIGHTS: dict[Callable[[History, Random], object], int] = {
    subscribe: 4,
    change: 3,
    wait: 6,
    buy_credits: 3,
    pay_twice: 2,
    refund: 2,
    use: 2,
    swap_card: 2,
    cancel: 2,
    change_at_stripe: 2,
    open_page: 1,
    pay_page: 1,
    toggle: 1,
    resume: 1,
    cancel_at_stripe: 1,
    pay_invoices: 1,
    credit_at_stripe: 2,
    say_details: 1,
    end_dispute: 1,
    compare: 1,
    delete_customer: 1,
}
