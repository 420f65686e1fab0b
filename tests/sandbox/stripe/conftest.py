"""One sandbox for the whole session, empty before each test, its answers true to the API document after each."""

from collections.abc import Iterator

import pytest
from stripe import StripeClient

from sandbox.stripe.process import TEST_KEY, StripeSandbox


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[StripeSandbox]:
    with StripeSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stripe_server(stripe_process: StripeSandbox) -> Iterator[StripeSandbox]:
    """Fails the test in which the sandbox gave an answer that the API document does not allow."""
    stripe_process.reset()
    yield stripe_process
    assert stripe_process.call("GET", "/_sandbox/violations") == {"violations": []}


@pytest.fixture
def client(stripe_server: StripeSandbox) -> StripeClient:
    """The real SDK, pointed at the sandbox, without retries of its own."""
    return StripeClient(TEST_KEY, base_addresses={"api": stripe_server.url}, max_network_retries=0)
