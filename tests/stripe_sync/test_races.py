"""What happens at the same time, or twice, or half."""

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest
import stripe as stripe_sdk
from django.db import connection, transaction

from billing.core.problems import Problem
from billing.notifications.models import Notice
from billing.stripe_sync.changes import OpenedCheckout
from billing.stripe_sync.checkout_pages import opened_page, page_is_closed
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession, StripePrice
from billing.stripe_sync.reading import read_states
from billing.stripe_sync.remote import read_subscriptions
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
from billing.subscriptions.models import Agreement, BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.apply_state import apply_state
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.money_make import in_threads
from tests.stripe_sync.paying import BACK, VISA, stripe_now
from tests.stripe_sync.plans import advance, charged, customer_of, look, open_checkout, pay, plan_of, row_of, subscribed


@pytest.fixture
def account(own_database: None, stripe: StripeSandbox) -> Iterator[BillingAccount]:
    push_catalogue(at=AT)
    yield make_customer("free").account
    connection.close()


def page_of_somebody_else(account: BillingAccount, plan: str = "team") -> str:
    """A page for the same customer that another process opened just now."""
    price = StripePrice.objects.get(lookup_key=f"quaestor:{plan}:v1:monthly:standard")
    session = stripe_client().v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer_of(account.id),
            "line_items": [{"price": price.price_id, "quantity": 1}],
            "success_url": BACK,
        }
    )
    return session.id


def press(stripe: StripeSandbox, session: str) -> str:
    done = stripe.call("POST", f"/_sandbox/checkout/{session}", {"card": VISA})
    return str(done["session"]["subscription"])


def pay_both(stripe: StripeSandbox, first: OpenedCheckout, second: str) -> tuple[str, str]:
    """Two seconds apart: Stripe's times have no fractions."""
    one = pay(stripe, first)
    advance(stripe, 2 / 86_400)
    return one, press(stripe, second)


def refunds(account: BillingAccount) -> list[stripe_sdk.Refund]:
    return list(stripe_client().v1.refunds.list({"limit": 100}).data)


def test_checkout_and_subscription_webhooks_race(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: events of one payment, worked on at once by several workers, make one agreement and one change of plan."""
    opened = open_checkout(account)
    pay(stripe, opened)
    at, session = stripe_now(stripe), row_of(opened).session_id

    def work(number: int) -> None:
        if number % 2:
            sync_customer(account_id=account.id, at=at)
        else:
            sync_checkout(session_id=session, at=at)

    in_threads(work, 8, threads=8)
    assert Agreement.objects.count() == 1
    assert Subscription.objects.filter(agreement__isnull=False).count() == 1
    assert (plan_of(account)[0], charged(account)) == ("pro", 900)


def test_portal_cancel_during_a_lock(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S4: somebody cancels in the portal while a worker has read the old state: who was waiting reads the new one."""
    subscription = subscribed(account, stripe)
    at, waits = stripe_now(stripe), Event()

    def work() -> None:
        waits.set()
        sync_customer(account_id=account.id, at=at)
        connection.close()

    waiting = Thread(target=work)
    with transaction.atomic():
        customer = lock_customer(account.id)
        assert customer is not None
        old = read_states(read_subscriptions(stripe_client(), customer.customer_id))
        stripe_client().v1.subscriptions.update(subscription, {"cancel_at_period_end": True})
        waiting.start()
        waits.wait(10)
        apply_state(account_id=account.id, states=old, at=at)
    waiting.join(30)
    agreement = governing_agreement(account.id)
    assert agreement is not None
    assert agreement.cancel_at == agreement.period_end


def test_hosted_checkout_and_auto_charge_both_capture(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: two pages were paid: the first plan stays, the second one's money goes back, and the tenant is told, once."""
    first = open_checkout(account)
    second = page_of_somebody_else(account)
    kept, double = pay_both(stripe, first, second)
    assert charged(account) == 900 + 2900
    in_threads(lambda _: look(account, stripe), 4, threads=4)
    assert charged(account) == 900
    assert [refund.reason for refund in refunds(account)] == ["duplicate"]
    assert {row.external_id: row.status for row in Agreement.objects.all()} == {kept: "active", double: "canceled"}
    assert plan_of(account)[0] == "pro"
    assert [notice.kind for notice in Notice.objects.all()] == ["plan-paid-twice"]


def test_overdue_invoice_is_paid_once(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S8: paid by hand between two automatic tries, the invoice is not charged again."""
    subscription = subscribed(account, stripe)
    take_card_away(account, subscription)
    advance(stripe, 31)
    (invoice,) = stripe_client().v1.invoices.list({"customer": customer_of(account.id), "status": "open"}).data
    good = stripe_client().v1.payment_methods.attach("pm_card_visa", {"customer": customer_of(account.id)})
    stripe_client().v1.invoices.pay(invoice.id, {"payment_method": good.id})
    advance(stripe, 10)
    look(account, stripe)
    assert (charged(account), plan_of(account)[0]) == (1800, "pro")


def take_card_away(account: BillingAccount, subscription: str) -> None:
    """From now on charges are declined."""
    bad = stripe_client().v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer_of(account.id)})
    stripe_client().v1.subscriptions.update(subscription, {"default_payment_method": bad.id})


@pytest.mark.parametrize(
    "fault",
    [
        {"method": "POST", "path": "^/v1/refunds$", "kind": "timeout"},
        {"method": "POST", "path": "^/v1/refunds$", "kind": "lost"},
        {"method": "DELETE", "path": "^/v1/subscriptions/", "kind": "timeout"},
        {"method": "DELETE", "path": "^/v1/subscriptions/", "kind": "lost"},
    ],
    ids=["refund not made", "refund unknown", "cancellation not made", "cancellation unknown"],
)
def test_second_payment_goes_back_whatever_fails(
    account: BillingAccount, stripe: StripeSandbox, fault: dict[str, Any]
) -> None:
    """S2: a look that Stripe broke off is taken up by the next one; the money goes back once."""
    first = open_checkout(account)
    second = page_of_somebody_else(account)
    pay_both(stripe, first, second)
    stripe.call("POST", "/_sandbox/faults", fault | {"times": 3})
    with pytest.raises(stripe_sdk.APIConnectionError):
        look(account, stripe)
    assert Agreement.objects.count() == 0
    stripe.call("DELETE", "/_sandbox/faults")
    look(account, stripe)
    assert (charged(account), len(refunds(account)), plan_of(account)[0]) == (900, 1, "pro")


def test_marked_subscription_never_takes_over(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: the first plan ends while the second is half wound up: that one has been refunded and ends as well."""
    kept = subscribed(account, stripe)
    double = press(stripe, page_of_somebody_else(account))
    fault = {"method": "DELETE", "path": "^/v1/subscriptions/", "kind": "timeout", "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    with pytest.raises(stripe_sdk.APIConnectionError):
        look(account, stripe)
    stripe.call("DELETE", "/_sandbox/faults")
    stripe_client().v1.subscriptions.cancel(kept)
    look(account, stripe)
    assert stripe_client().v1.subscriptions.retrieve(double).status == "canceled"
    assert (plan_of(account)[0], charged(account)) == ("free", 900)


def test_paid_page_is_seen_before_another_opens(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: the event of the payment is still on its way: asking for another page finds the plan paid."""
    pay(stripe, open_checkout(account))
    with pytest.raises(Problem) as problem:
        open_checkout(account, "team")
    assert problem.value.code == "subscription-exists"
    assert plan_of(account)[0] == "pro"


@pytest.mark.parametrize("key", ["k", ""], ids=["with a key", "without"])
def test_one_request_from_eight_at_once(account: BillingAccount, stripe: StripeSandbox, key: str) -> None:
    """S2: a click that is repeated opens one page, and everybody gets it."""
    pages = in_threads(lambda _: open_checkout(account, idempotency_key=key), 8, threads=8)
    sessions = stripe_client().v1.checkout.sessions.list({"customer": customer_of(account.id)}).data
    assert len(sessions) == CheckoutSession.objects.count() == 1
    assert {page.url for page in pages} == {sessions[0].url}
    assert sessions[0].status == "open"


def test_different_requests_at_once(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: one page is open in the end; whoever was overtaken while it was opened is told so, not about keys."""
    plans = ("pro", "team", "pro", "team")
    told = in_threads(lambda number: _try_to_open(account, plans[number]), 4, threads=4)
    sessions = stripe_client().v1.checkout.sessions.list({"customer": customer_of(account.id), "status": "open"}).data
    assert len(sessions) == CheckoutSession.objects.filter(state="open").count() == 1
    assert sessions[0].url in told
    problems = [one for one in told if isinstance(one, Problem)]
    assert {one.code for one in problems} <= {"account-changed"}
    assert "key" not in str([one.as_dict() for one in problems]).lower()


def test_overtaken_while_it_was_opened(account: BillingAccount, stripe: StripeSandbox) -> None:
    """S2: another page was opened between the note and the call: there is no address that leads nowhere."""
    first = open_checkout(account)
    CheckoutSession.objects.filter(id=row_of(first).id).update(state="opening", session_id="", url="")
    second = open_checkout(account, "team")
    late = opened_page(row_of(first), lambda customer: pytest.fail("Stripe was asked for a page that was overtaken."))
    assert (late.state, row_of(second).state) == ("expired", "open")
    told = page_is_closed(late)
    assert (told.code, told.retry_after) == ("account-changed", 1)


def _try_to_open(account: BillingAccount, plan: str) -> str | Problem:
    try:
        return open_checkout(account, plan).url
    except Problem as problem:
        return problem
