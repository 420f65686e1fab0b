"""The hosted pages by plain HTTP: what a button does, pressed once, twice, too late or by the wrong person (S2, S3)."""

import http.client
import re
from typing import Any

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.shop import CANCEL, DECLINED, GOOD, LATER, NO_FUNDS, SECURE, Shop, make_shop

EVERYTHING: Any = {
    "customer_update": {"enabled": True, "allowed_updates": ["email", "name"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "cancellation_reason": {"enabled": True, "options": ["unused", "other"]}},
}


@pytest.fixture
def shop(client: StripeClient, stripe_server: StripeSandbox) -> Shop:
    return make_shop(client, stripe_server)


def subscribe(shop: Shop) -> str:
    """The id of a paid subscription."""
    session = shop.session()
    assert shop.pay(str(session.url), GOOD)[0] == 303
    return str(shop.again(session).subscription)


def open_portal(shop: Shop, features: Any = None, **more: Any) -> str:
    configuration = shop.client.v1.billing_portal.configurations.create({"features": features or EVERYTHING})
    parameters: Any = {"customer": shop.customer, "configuration": configuration.id, "return_url": CANCEL}
    return shop.client.v1.billing_portal.sessions.create(parameters | more).url


def test_checkout_shows_what_is_bought(shop: Shop) -> None:
    status, page = shop.get(str(shop.session().url))
    assert status == 200
    for words in ("Subscribe to Pro", "$20.00", "ada@example.com", "no real money moves", CANCEL):
        assert words in page


@pytest.mark.parametrize(
    ("number", "words"), [(DECLINED, "was declined"), (NO_FUNDS, "insufficient funds"), ("4111", "number is incorrect")]
)
def test_a_refusal_is_shown_and_can_be_tried_again(shop: Shop, number: str, words: str) -> None:
    session = shop.session()
    status, page = shop.pay(str(session.url), number)
    assert status in {400, 402}
    assert words in page
    assert shop.pay(str(session.url), GOOD) == (303, f"https://shop.example/done?s={session.id}")


def test_mistyped_fields_are_named(shop: Shop) -> None:
    address = str(shop.session().url)
    status, page = shop.pay(address, GOOD, expiry="01 / 20", cvc="1", name="")
    assert status == 400
    assert re.findall(r'id="(\w+)-error"', page) == ["expiry", "cvc", "name"]


def test_what_is_typed_is_escaped(shop: Shop) -> None:
    _, page = shop.pay(str(shop.session().url), DECLINED, name='"><script>alert(1)</script>')
    assert "<script>alert" not in page


def test_a_second_press_pays_nothing_more(shop: Shop) -> None:
    session = shop.purchase()
    assert shop.pay(str(session.url), GOOD) == shop.pay(str(session.url), GOOD)
    assert len(shop.client.v1.charges.list().data) == 1
    assert "nothing more to pay" in shop.get(str(session.url))[1]


def test_an_expired_session_says_so(shop: Shop) -> None:
    session = shop.session()
    shop.client.v1.checkout.sessions.expire(session.id)
    for status, page in (shop.get(str(session.url)), shop.pay(str(session.url), GOOD)):
        assert status == 410
        assert "expired" in page


def test_the_bank_is_asked_before_anything_is_made(shop: Shop) -> None:
    session = shop.session()
    status, bank = shop.pay(str(session.url), SECURE)
    assert (status, shop.again(session).status) == (303, "open")
    assert "$20.00" in shop.get(bank)[1]
    _, failed = shop.post(bank, outcome="fail")
    assert "could not confirm" in shop.get(failed)[1]
    assert shop.post(bank, outcome="complete")[1].endswith(session.id)
    assert shop.post(bank, outcome="complete")[1].endswith(session.id)
    assert len(shop.client.v1.charges.list().data) == 1


def test_the_first_payment_may_differ_from_the_later_ones(shop: Shop) -> None:
    once = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Set-up"}}
    monthly = {
        "currency": "usd",
        "unit_amount": 2000,
        "product_data": {"name": "P"},
        "recurring": {"interval": "month"},
    }
    session = shop.session(line_items=[{"price_data": monthly, "quantity": 2}, {"price_data": once, "quantity": 1}])
    page = shop.get(str(session.url))[1]
    assert "$45.00 <small>today, then $40.00 per month</small>" in page
    shop.pay(str(session.url), GOOD)
    assert shop.client.v1.invoices.retrieve(str(shop.again(session).invoice)).amount_paid == 4500


def test_a_trial_costs_nothing_today(shop: Shop) -> None:
    session = shop.session(subscription_data={"trial_period_days": 14})
    assert "$0.00 <small>today, then $20.00 per month</small>" in shop.get(str(session.url))[1]
    shop.pay(str(session.url), LATER)
    done = shop.again(session)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert shop.client.v1.subscriptions.retrieve(str(done.subscription)).status == "trialing"


def test_forms_of_other_sites_are_refused(shop: Shop) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shop.server.port, timeout=10)
    connection.request("POST", "/clock", "days=1", {"Origin": "https://elsewhere.example"})
    assert connection.getresponse().status == 403
    connection.close()


def test_the_portal_needs_a_configuration(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        shop.client.v1.billing_portal.sessions.create({"customer": shop.customer})
    shop.post("/portal-settings")
    session = shop.client.v1.billing_portal.sessions.create({"customer": shop.customer})
    configuration = shop.client.v1.billing_portal.configurations.retrieve(str(session.configuration))
    assert (configuration.is_default, shop.get(session.url)[0]) == (True, 200)


def test_the_configuration_decides_what_is_shown(shop: Shop) -> None:
    subscription = subscribe(shop)
    bare = open_portal(shop, {"invoice_history": {"enabled": False}})
    page = shop.get(bare)[1]
    assert "Renews on" in page
    for words in ("Cancel plan", "Update card", "Billing information", "Invoices"):
        assert words not in page
    assert shop.get(f"{bare}/card")[0] == 403
    assert shop.post(f"{bare}/subscriptions/{subscription}/cancel")[0] == 403
    assert shop.post(f"{bare}/contact", email="x@example.com")[0] == 403


def test_cancel_and_change_of_mind(shop: Shop) -> None:
    subscription, portal = subscribe(shop), open_portal(shop)
    assert "stays yours until" in shop.get(f"{portal}/subscriptions/{subscription}/cancel")[1]
    shop.post(f"{portal}/subscriptions/{subscription}/cancel", reason="unused")
    found = shop.client.v1.subscriptions.retrieve(subscription)
    assert (found.cancel_at_period_end, found.cancellation_details.feedback) == (True, "unused")
    assert "Keep plan" in shop.get(portal)[1]
    shop.post(f"{portal}/subscriptions/{subscription}/resume")
    assert shop.client.v1.subscriptions.retrieve(subscription).cancel_at_period_end is False


def test_a_strangers_subscription_stays_out_of_reach(shop: Shop) -> None:
    subscription = subscribe(shop)
    shop.customer = shop.client.v1.customers.create({"email": "eve@example.com"}).id
    assert shop.post(f"{open_portal(shop)}/subscriptions/{subscription}/cancel")[0] == 404


def test_a_failing_card_leads_to_dunning_and_a_new_one_out_of_it(shop: Shop) -> None:
    subscription = subscribe(shop)
    assert "is saved" in shop.get(shop.pay(f"{open_portal(shop)}/card", LATER)[1])[1]
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 32 * 86_400})
    assert shop.client.v1.subscriptions.retrieve(subscription).status == "past_due"
    portal = open_portal(shop)
    assert "last payment failed" in shop.get(portal)[1]
    invoice = str(shop.client.v1.invoices.list({"status": "open"}).data[0].hosted_invoice_url)
    assert shop.post(invoice, saved="yes")[0] == 402
    shop.pay(f"{portal}/card", GOOD)
    assert shop.post(invoice, saved="yes")[0] == shop.post(invoice, saved="yes")[0] == 303
    assert "is paid" in shop.get(invoice)[1]
    assert shop.client.v1.subscriptions.retrieve(subscription).status == "active"


def test_an_invoice_is_paid_by_a_secure_card(shop: Shop) -> None:
    subscribe(shop)
    shop.pay(f"{open_portal(shop)}/card", LATER)
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 32 * 86_400})
    invoice = str(shop.client.v1.invoices.list({"status": "open"}).data[0].hosted_invoice_url)
    _, bank = shop.pay(invoice, SECURE)
    assert "could not confirm" in shop.get(shop.post(bank, outcome="fail")[1])[1]
    _, bank = shop.pay(invoice, SECURE)
    assert "is paid" in shop.get(shop.post(bank, outcome="complete")[1])[1]


def test_portal_links_work_for_an_hour(shop: Shop) -> None:
    portal = open_portal(shop)
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 3700})
    assert shop.get(portal)[0] == 410


def test_a_flow_starts_where_it_was_asked_to(shop: Shop) -> None:
    redirect = {"type": "redirect", "redirect": {"return_url": CANCEL}}
    portal = open_portal(shop, flow_data={"type": "payment_method_update", "after_completion": redirect})
    status, card = shop.get(portal)
    assert (status, card.endswith("/card")) == (303, True)
    assert shop.pay(card, GOOD) == (303, CANCEL)


def test_contact_data_is_the_customers(shop: Shop) -> None:
    shop.post(f"{open_portal(shop)}/contact", email="new@example.com", full_name="Ada L.")
    customer = shop.client.v1.customers.retrieve(shop.customer)
    assert (customer.email, customer.name) == ("new@example.com", "Ada L.")


def test_the_sandboxs_own_page_moves_the_clock(shop: Shop) -> None:
    subscribe(shop)
    assert shop.post("/clock", days="month") == (303, "/?done=clock")
    assert shop.post("/webhooks", mode="held")[0] == 303
    page = shop.get("/")[1]
    assert "ada@example.com" in page
    assert page.count(">Paid<") == 2
    assert shop.server.call("GET", "/_sandbox/webhooks")["mode"] == "held"
    assert shop.post("/clock", days="-1")[0] == 400
