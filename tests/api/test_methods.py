"""Methods, addresses and media types that are not there."""

import pytest

from tests.api.calls import call, get, refusal
from tests.api.endpoints import ENDPOINTS, PUBLIC, Endpoint
from tests.make import make_customer

OF_AN_OBJECT = ("{topup}", "{invoice}", "{credential}", "{session}", "{webhook}")
READS = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.method == "GET" and not any(name in endpoint.path for name in OF_AN_OBJECT)
]
METHODS = {(endpoint.method, endpoint.at()) for endpoint in ENDPOINTS}


@pytest.mark.parametrize("path", ["", "nothing", "pricing", "pricing/models/", "billing/balance/x", "a%0Ab", "%00"])
def test_unknown_address(path: str) -> None:
    """F3: an address that nothing is at is a problem too, whatever the method, with or without a key."""
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        assert refusal(call(method, f"/v1/{path}")) == (404, "not-found")


@pytest.mark.parametrize("endpoint", READS, ids=str)
def test_wrong_method(endpoint: Endpoint) -> None:
    """F3: 405 with the methods that there are."""
    key = make_customer().key
    for method in ("PUT", "PATCH", "TRACE"):
        if (method, endpoint.at()) in METHODS:
            continue
        response = call(method, endpoint.at(), key)
        assert refusal(response) == (405, "method-not-allowed")
        assert "GET" in response.headers["Allow"]


@pytest.mark.parametrize("path", PUBLIC)
def test_wrong_method_in_public(path: str) -> None:
    """F3: public addresses are for reading."""
    response = call("POST", f"/v1/{path}", None, {})
    assert refusal(response) == (405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("endpoint", READS, ids=str)
def test_head_and_options(endpoint: Endpoint) -> None:
    """F3: HEAD is GET without a body, OPTIONS tells the methods."""
    key = make_customer().key
    read, head, options = (call(method, endpoint.at(), key) for method in ("GET", "HEAD", "OPTIONS"))
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert head.headers["Content-Type"] == read.headers["Content-Type"] == endpoint.media_type
    assert (options.status_code, options.content) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["Allow"].split(", "))


@pytest.mark.parametrize("endpoint", READS, ids=str)
def test_answers_with_a_key_are_kept_by_no_cache(endpoint: Endpoint) -> None:
    """F3: balances and usage stay out of caches, refusals as well."""
    assert call("GET", endpoint.at(), make_customer().key).headers["Cache-Control"] == "no-store"
    assert call("GET", endpoint.at()).headers["Cache-Control"] == "no-store"


def test_other_media_types() -> None:
    """F3: what only takes HTML is told that there is none."""
    key = make_customer().key
    assert refusal(get("/v1/billing/balance", key, Accept="text/html")) == (406, "not-acceptable")
    assert get("/v1/billing/balance", key, Accept="text/html, */*;q=0.1").status_code == 200


def test_fault_of_ours(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """F3: what nobody foresaw is a problem without a word of what it was."""

    def broken(**_: object) -> None:
        raise RuntimeError("the secret of the house")

    key = make_customer().key
    monkeypatch.setattr("billing.api.views.balance.balance_of", broken)
    response = get("/v1/billing/balance", key)
    assert refusal(response) == (500, "internal-error")
    assert b"secret" not in response.content
