from collections.abc import Iterator

import pytest
import time_machine
from pytest_django.fixtures import Settings

from sandbox.stripe.process import TEST_KEY
from tests.make import AT, Customer, make_customer


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Pages ask for the time: it stands still."""
    with time_machine.travel(AT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def customer(catalogue: None, clock: time_machine.Traveller) -> Customer:
    """Pay as you go, with $100.00, since `AT`."""
    return make_customer(balance="100.00", slug="acme")


@pytest.fixture
def stripe_away(settings: Settings) -> None:
    """Stripe is set up, and nobody answers at its address."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    settings.STRIPE_API_HOST = "http://127.0.0.1:1"
