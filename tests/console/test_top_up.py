"""Buying credits (M4, S2)."""

from uuid import uuid4

import pytest
from pytest_django.fixtures import Settings

from billing.credits.models import TopUp
from billing.stripe_sync.models import CheckoutSession
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from tenants.permissions import Role
from tests.console.make import HTMX, QueryCount, make_client
from tests.console.paying import make_purchase
from tests.make import AT, Customer, make_customer


@pytest.fixture
def shop(settings: Settings) -> None:
    settings.STRIPE_SECRET_KEY = TEST_KEY


@pytest.mark.usefixtures("shop")
def test_total_is_shown_before_paying(customer: Customer) -> None:
    """M4: the amount, the fee on top, and what the card is charged, rounded to the cent."""
    response = make_client(customer.tenant).get("/credits/quote", {"amount": "33.33"}, headers=HTMX)
    for figure in ("$33.33", "$1.67", "Pay $35.00"):
        assert figure in response.text
    assert "<html" not in response.text


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("amount", ["", "4.99", "10000.01", "1.234", "NaN", "1e3000", "1e3", "1_0", "-5", "ten"])
def test_impossible_amount_has_no_total(customer: Customer, amount: str) -> None:
    """M4: the form says what is accepted, and paying with it is refused."""
    client = make_client(customer.tenant)
    response = client.get("/credits/quote", {"amount": amount}, headers=HTMX)
    assert response.context["page"].total is None
    assert "errorlist" in response.text
    posted = client.post("/credits/top-up", {"amount": amount, "key": str(uuid4())})
    assert posted.status_code == 422
    assert posted.context["page"].top_up.form.errors["amount"]


@pytest.mark.usefixtures("shop")
def test_preset_without_scripts(customer: Customer) -> None:
    """F1: a link to the page with the amount filled in."""
    client = make_client(customer.tenant)
    assert "Pay $105.00" in client.get("/credits/?amount=100").text
    assert client.get("/credits/quote?amount=100")["Location"] == "/credits/"


def test_without_stripe(customer: Customer) -> None:
    """S6: credits are shown, and that none can be bought."""
    client = make_client(customer.tenant)
    assert "Card payments are not set up" in client.get("/credits/").text
    assert client.post("/credits/top-up", {"amount": "20", "key": str(uuid4())}).status_code == 503


@pytest.mark.usefixtures("stripe_away")
def test_amount_is_kept_while_stripe_is_away(customer: Customer) -> None:
    """S6: the reason on the page, and the button again."""
    response = make_client(customer.tenant).post("/credits/top-up", {"amount": "20", "key": str(uuid4())})
    assert response.status_code == 503
    assert "Stripe does not answer" in response.text
    assert "Pay $21.00" in response.text
    assert not CheckoutSession.objects.exclude(state="opening").exists()


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_others_do_not_buy(customer: Customer, role: Role) -> None:
    """F4: no form, and none that works."""
    client = make_client(customer.tenant, role)
    assert "Add credits" not in client.get("/credits/").text
    assert client.get("/credits/quote").status_code == 403
    assert client.post("/credits/top-up", {"amount": "20"}).status_code == 403


def test_purchases_are_explained(customer: Customer) -> None:
    """M4: what waits can be paid, what expired cost nothing, what was taken back is named."""
    key = make_purchase(customer)
    make_purchase(customer, state="expired")
    make_purchase(customer, state="credited", taken_back="20")
    never_opened = TopUp.objects.create(
        account=customer.account.credits, amount=5, fee=1, currency="USD", state="open", created_at=AT
    )
    text = make_client(customer.tenant).get("/credits/").text
    assert f'href="https://checkout.stripe.com/c/pay/{key}"' in text
    assert text.count("nothing was charged") == 2
    assert "$20.00 taken back by a refund or dispute" in text
    assert never_opened.state == "open"
    assert "Continue paying" not in make_client(customer.tenant, Role.VIEWER).get("/credits/").text


def test_button_pressed_twice_opens_one_page(stripe_catalogue: StripeSandbox, settings: Settings) -> None:
    """S2, M4: one purchase."""
    settings.BILLING_RETURN_ORIGINS = ["http://testserver"]
    customer = make_customer()
    client, fields = make_client(customer.tenant), {"amount": "20", "key": str(uuid4())}
    first, second = client.post("/credits/top-up", fields), client.post("/credits/top-up", fields)
    assert first["Location"] == second["Location"]
    assert first["Location"].startswith(stripe_catalogue.url)
    assert TopUp.objects.count() == 1


@pytest.mark.usefixtures("shop")
def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: a quote: session, user, two for accounts, frame."""
    client = make_client(customer.tenant)
    with django_assert_num_queries(5):
        client.get("/credits/quote?amount=20", headers=HTMX)
