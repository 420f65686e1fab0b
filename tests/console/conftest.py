from collections.abc import Iterator

import pytest
import time_machine

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
