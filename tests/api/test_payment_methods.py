"""GET /v1/billing/payment-methods."""

from pytest_django import DjangoAssertNumQueries

from sandbox.stripe.process import StripeSandbox
from tests.api.calls import get
from tests.api.paying import send, subscribe_by_card
from tests.make import make_customer
from tests.stripe_sync.paying import VISA

PATH = "/v1/billing/payment-methods"


def test_masked_card(stripe_catalogue: StripeSandbox) -> None:
    """I3: brand, last four digits, expiry and whether it is charged; nothing else leaves."""
    customer = make_customer("free")
    subscribe_by_card(stripe_catalogue, customer)
    response = send(stripe_catalogue, customer, "GET", PATH)
    (card,) = response.json()["payment_methods"]
    assert list(card) == ["id", "brand", "last4", "exp", "default"]
    assert (card["brand"], card["last4"], card["default"]) == ("visa", "4242", True)
    month, _, year = card["exp"].partition("/")
    assert (len(month), len(year), 1 <= int(month) <= 12) == (2, 2, True)
    assert card["id"].startswith("pm_")
    assert VISA[:12] not in response.content.decode()
    assert get(PATH, make_customer().key).json() == {"payment_methods": []}


def test_no_card_yet(catalogue: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """I3, S6: before the first payment there is none, whether Stripe is set up or not."""
    customer = make_customer()
    with django_assert_num_queries(3):
        response = get(PATH, customer.key)
    assert response.content == b'{"payment_methods":[]}'
