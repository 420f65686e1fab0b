"""Credits by card, from the quote to the grant."""

from dataclasses import replace
from decimal import Decimal

import pytest
from pytest_django import Settings

from billing.core.problems import Problem
from billing.credits.models import Grant, TopUp
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.services.open_top_up_checkout import open_top_up_checkout
from billing.stripe_sync.services.sync_charge import sync_charge
from billing.stripe_sync.services.sync_checkout import sync_checkout
from billing.stripe_sync.top_ups import quote_top_up
from sandbox.stripe.process import StripeSandbox
from tests.make import AT, make_customer
from tests.money_make import in_threads, money_of
from tests.stripe_sync.paying import BACK, open_purchase, press_pay, session_of, stripe_now

shop = pytest.mark.usefixtures("catalogue")


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("4.99", "USD", "out-of-range"),
        ("10000.01", "USD", "out-of-range"),
        ("-5", "USD", "out-of-range"),
        ("NaN", "USD", "out-of-range"),
        ("20.001", "USD", "too-many-decimals"),
        ("20.5", "JPY", "too-many-decimals"),
    ],
)
def test_amount_is_checked(amount: str, currency: str, code: str) -> None:
    """M4: within what may be bought at once, and payable."""
    with pytest.raises(Problem) as refused:
        quote_top_up(Decimal(amount), currency)
    assert refused.value.code == "invalid-request"
    assert [(error.field, error.code) for error in refused.value.errors] == [("amount", code)]


def test_quote_shows_the_fee(settings: Settings) -> None:
    """M4: on top, by the percentage of the installation."""
    quote = quote_top_up(Decimal("20.5"), "USD")
    assert (str(quote.amount), str(quote.fee), str(quote.total)) == ("20.50", "1.03", "21.53")
    settings.TOPUP_FEE_PERCENT = Decimal(0)
    assert quote_top_up(Decimal(20), "USD").fee == 0


@shop
def test_page_lists_credits_and_fee(stripe: StripeSandbox) -> None:
    """M4, S2: card only, the fee a line of its own; the payment names the purchase."""
    account = make_customer().account
    opened = open_purchase(account, stripe)
    assert (opened.amount, opened.fee, opened.total) == (20, 1, 21)
    sessions = stripe_client().v1.checkout.sessions
    session = sessions.retrieve(session_of(opened))
    assert (session.amount_total, session.payment_method_types, session.url) == (2100, ["card"], opened.url)
    lines = sessions.line_items.list(session.id).data
    assert [(line.description, line.amount_total) for line in lines] == [("Credits", 2000), ("Platform fee", 100)]
    assert money_of(account) == ("0", "0", "0")


@shop
def test_page_without_a_fee(stripe: StripeSandbox, settings: Settings) -> None:
    """M4: a fee of nothing is no line."""
    settings.TOPUP_FEE_PERCENT = Decimal(0)
    opened = open_purchase(make_customer().account, stripe)
    lines = stripe_client().v1.checkout.sessions.line_items.list(session_of(opened)).data
    assert [line.description for line in lines] == ["Credits"]
    press_pay(stripe, opened)
    sync_checkout(session_id=session_of(opened), at=AT)
    assert check_ledger(at=AT) == []


@shop
def test_paid_page_credits(stripe: StripeSandbox) -> None:
    """M4: what was paid is credited once, whoever reads it and however often."""
    account = make_customer().account
    opened = open_purchase(account, stripe)
    charge = press_pay(stripe, opened)
    for _ in range(2):
        sync_checkout(session_id=session_of(opened), at=AT)
        sync_charge(charge_id=charge.id, at=AT)
    assert money_of(account) == ("20", "0", "0")
    top_up = TopUp.objects.get()
    assert (top_up.state, top_up.payment_reference) == ("credited", charge.payment_intent)
    assert CheckoutSession.objects.get().state == "complete"
    assert check_ledger(at=AT) == []


@shop
def test_payment_alone_credits(stripe: StripeSandbox) -> None:
    """M4, S4: the payment is enough where the page's own event was lost."""
    account = make_customer().account
    charge = press_pay(stripe, open_purchase(account, stripe))
    assert sync_charge(charge_id=charge.id, at=AT)
    assert money_of(account) == ("20", "0", "0")


@shop
def test_expired_page_closes_the_purchase(stripe: StripeSandbox) -> None:
    """M4: nothing is credited, and nothing is waited for."""
    account = make_customer().account
    opened = open_purchase(account, stripe)
    stripe.call("POST", "/_sandbox/clock", {"advance_seconds": 25 * 3600})
    sync_checkout(session_id=session_of(opened), at=AT)
    assert TopUp.objects.get().state == "expired"
    assert money_of(account) == ("0", "0", "0")


@shop
def test_declined_card_credits_nothing(stripe: StripeSandbox) -> None:
    """M4: the page stays open for another card."""
    account = make_customer().account
    opened = open_purchase(account, stripe)
    with pytest.raises(Exception, match="402"):
        press_pay(stripe, opened, card="4000000000000002")
    sync_checkout(session_id=session_of(opened), at=AT)
    assert money_of(account) == ("0", "0", "0")
    press_pay(stripe, opened)
    sync_checkout(session_id=session_of(opened), at=AT)
    assert money_of(account) == ("20", "0", "0")


@shop
def test_same_key_gives_the_same_page(stripe: StripeSandbox) -> None:
    """M4: a button that is pressed twice opens one page; for anything else a key is used up."""
    account = make_customer().account
    first = open_purchase(account, stripe, key="one")
    assert open_purchase(account, stripe, key="one") == first
    for wrong in ({"amount": "21"}, {"success_url": f"{BACK}/other"}):
        with pytest.raises(Problem, match="idempotency-conflict"):
            open_purchase(account, stripe, key="one", **wrong)
    press_pay(stripe, first)
    paid = open_purchase(account, stripe, key="one")  # before any webhook
    assert paid == replace(first, is_paid=True)
    assert TopUp.objects.get().state == "credited"


@shop
def test_key_of_an_expired_page(stripe: StripeSandbox) -> None:
    """M4: nobody can pay on it any more, and whoever asks is told what to do."""
    account = make_customer().account
    open_purchase(account, stripe, key="one")
    stripe.call("POST", "/_sandbox/clock", {"advance_seconds": 25 * 3600})
    with pytest.raises(Problem, match="closed") as refused:
        open_purchase(account, stripe, key="one")
    assert (refused.value.code, refused.value.remedy) == ("idempotency-conflict", "Open a new page under a new key.")


@shop
def test_retry_with_same_key_and_new_timestamp_bills_once(stripe: StripeSandbox) -> None:
    """Money: a request that is repeated an hour later under its key opens one page, which charges once."""
    account = make_customer().account
    first = open_purchase(account, stripe, key="one")
    stripe.call("POST", "/_sandbox/clock", {"advance_seconds": 3600})
    again = open_purchase(account, stripe, key="one")
    for opened in (first, again):
        press_pay(stripe, opened)
        sync_checkout(session_id=session_of(opened), at=stripe_now(stripe))
    assert len(stripe_client().v1.charges.list({"limit": 10}).data) == 1
    assert money_of(account) == ("20", "0", "0")


@shop
@pytest.mark.parametrize("kind", ["timeout", "lost", "status"])
def test_page_that_was_cut_short_is_taken_up_again(stripe: StripeSandbox, kind: str) -> None:
    """M4, S4: where nobody knows whether Stripe heard us, the same key opens one page and no second."""
    account = make_customer().account
    open_purchase(account, stripe)  # the customer is there
    fault = {"method": "POST", "path": "/v1/checkout/sessions", "kind": kind, "status": 503, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)
    with pytest.raises(Problem, match="stripe-unavailable"):
        open_purchase(account, stripe, key="one")
    assert CheckoutSession.objects.get(idempotency_key="one").state == "opening"
    opened = open_purchase(account, stripe, key="one")
    sessions = stripe_client().v1.checkout.sessions.list({"limit": 10}).data
    assert len(sessions) == CheckoutSession.objects.count() == 2
    assert opened.url in {session.url for session in sessions}


@shop
def test_foreign_return_address(stripe: StripeSandbox) -> None:
    """S2: nobody is sent elsewhere, and nothing is written down."""
    account = make_customer().account
    for name in ("success_url", "cancel_url"):
        with pytest.raises(Problem, match="billing-return-url-not-allowed"):
            open_purchase(account, stripe, **{name: "https://evil.example/back"})
    assert not TopUp.objects.exists()


@shop
def test_without_stripe(settings: Settings) -> None:
    """S6: a clear answer, and nothing half done."""
    settings.STRIPE_SECRET_KEY = ""
    account = make_customer().account
    with pytest.raises(Problem, match="stripe-not-configured"):
        open_top_up_checkout(
            account_id=account.id, amount=Decimal(20), success_url=BACK, cancel_url=BACK, idempotency_key="", at=AT
        )
    assert not TopUp.objects.exists()


@pytest.mark.usefixtures("own_database")
def test_topup_settled_twice_within_milliseconds(stripe: StripeSandbox) -> None:
    """Money: the return page, the webhooks of the page and of the payment, and the reconciler at once credit once."""
    account = make_customer().account
    opened = open_purchase(account, stripe)
    charge, session, at = press_pay(stripe, opened), session_of(opened), stripe_now(stripe)
    looks = [lambda: sync_checkout(session_id=session, at=at), lambda: sync_charge(charge_id=charge.id, at=at)]
    in_threads(lambda number: looks[number % 2](), 8, threads=8)
    assert money_of(account) == ("20", "0", "0")
    assert Grant.objects.count() == 1
    assert check_ledger(at=at) == []


@pytest.mark.usefixtures("own_database")
def test_button_pressed_by_many_hands(stripe: StripeSandbox) -> None:
    """M4: eight requests with one key at once open one page."""
    account = make_customer().account
    open_purchase(account, stripe)  # the customer is there
    urls = in_threads(lambda _: open_purchase(account, stripe, key="one").url, 8, threads=8)
    assert len(set(urls)) == 1
    assert TopUp.objects.count() == 2
    assert len(stripe_client().v1.checkout.sessions.list({"limit": 10}).data) == 2
