"""The API at its edges: what reaches Django's own answers, chunked bodies, and the hot path before Django."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from billing.api.hot.wsgi import HotPath
from config.chunked import ChunkedBodies
from tests.make import Customer, make_customer

Answer = tuple[int, dict[str, Any]]
Post = Callable[..., Answer]


@pytest.fixture
def customer(catalogue: None) -> Customer:
    return make_customer("payg", balance="10")


@pytest.fixture
def post(customer: Customer) -> Post:
    """Sends a request through what stands in front of Django; Django itself answers 404 here."""

    def nothing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("404 Not Found", [])
        return [b"{}"]

    application = ChunkedBodies(HotPath(nothing), limit=2_000)

    def send(path: str, body: object, **environ: Any) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        status: list[str] = []
        answer = application(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": path,
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "80",
                "HTTP_HOST": "127.0.0.1",
                "HTTP_AUTHORIZATION": f"Bearer {customer.key.plain}",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(content)),
                "wsgi.input": io.BytesIO(content),
                "wsgi.url_scheme": "http",
            }
            | environ,
            lambda line, headers: status.append(line),
        )
        return int(status[0].split()[0]), json.loads(b"".join(answer))

    return send


def _run(customer: Customer, key: str) -> dict[str, object]:
    return {
        "workspace": customer.workspace.slug,
        "idempotency_key": key,
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": 100,
        "max_output_tokens": 10,
    }


def test_a_run_goes_its_way_before_django(post: Post, customer: Customer) -> None:
    """M2: authorize, settle and void are served by the hot path itself."""
    status, run = post("/v1/runtime/authorizations", _run(customer, "a"))
    assert (status, run["held"]) == (201, "0.000350000")
    status, settled = post(f"/v1/runtime/authorizations/{run['id']}/settle", {"input_tokens": 100, "output_tokens": 2})
    assert (status, settled["cost"]) == (200, "0.000270000")
    assert post(f"/v1/runtime/authorizations/{run['id']}/void", {})[1]["code"] == "authorization-settled"


@pytest.mark.parametrize("path", ["/v1/runtime/authorizationsX{id}/settle", "/v1/runtime/authorizations/{id}/settled"])
def test_only_the_exact_path_is_hot(post: Post, customer: Customer, path: str) -> None:
    """F3: an address that is nearly right is no address."""
    _, run = post("/v1/runtime/authorizations", _run(customer, "a"))
    assert post(path.format(id=run["id"]), {"input_tokens": 1, "output_tokens": 1})[0] == 404


@pytest.mark.parametrize("environ", [{"HTTP_HOST": "evil.example"}, {"REQUEST_METHOD": "GET"}])
def test_what_the_hot_path_does_not_judge_is_djangos(post: Post, customer: Customer, environ: dict[str, str]) -> None:
    """F3: foreign hosts and other methods meet Django's own checks."""
    assert post("/v1/runtime/authorizations", _run(customer, "a"), **environ)[0] == 404


def test_chunked_body_is_read(post: Post, customer: Customer) -> None:
    """F3: a body of unknown length is a body."""
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    assert post("/v1/runtime/authorizations", _run(customer, "a"), **chunked)[0] == 201


def test_chunked_body_over_the_limit_is_refused(post: Post, settings: Any) -> None:
    """F3: unknown length is no way around the limit."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    status, problem = post("/v1/usage/events", b'{"events": ["' + b"x" * 5000 + b'"]}', **chunked)
    assert (status, problem["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/billing"])
def test_every_address_below_v1_answers_problems(client: Client, path: str) -> None:
    """F3: also where there is nothing."""
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_foreign_host_is_a_problem_below_v1_and_a_page_elsewhere(client: Client) -> None:
    """F3: Django's own refusals take the form of where they happen."""
    api = client.get("/v1/pricing/models", headers={"host": "evil.example"})
    assert (api.status_code, api["Content-Type"]) == (400, "application/problem+json")
    page = client.get("/usage/", headers={"host": "evil.example"})
    assert page.status_code == 400
    assert page["Content-Type"].startswith("text/html")


def test_probes_refuse_to_be_written_to(client: Client) -> None:
    """F3: 405, not a page about cookies."""
    assert Client(enforce_csrf_checks=True).post("/healthz").status_code == 405


def test_the_largest_quantities_are_stored(post: Post, customer: Customer) -> None:
    """U1: the largest quantity of the dearest product is stored, however often it comes."""
    event = {"workspace": customer.workspace.slug, "product": "kb_storage", "quantity": "1000000000"}
    events = [event | {"idempotency_key": f"e{n}"} for n in range(1000)]
    accepted = post("/v1/usage/events", {"events": events})[1]["results"]
    assert {result["status"] for result in accepted} == {"accepted"}


@pytest.mark.parametrize("quantity", ["1_0", "１２", " 1 ", "1e3", "-1", "NaN", "", "0x10"])
def test_quantity_is_a_plain_decimal(post: Post, customer: Customer, quantity: str) -> None:
    """U1: what Python would read as a number, but no other program would, is not billed."""
    event = {"idempotency_key": "e", "workspace": customer.workspace.slug, "product": "pstn", "quantity": quantity}
    assert post("/v1/usage/events", event)[1]["results"][0]["status"] == "rejected"


def test_one_quantity_in_two_spellings_is_one_body(post: Post, customer: Customer) -> None:
    """U2: 12.5 and "12.50", 10:00Z and 12:00+02:00 are the same event."""
    event = {"idempotency_key": "e", "workspace": customer.workspace.slug, "product": "pstn"}
    first = event | {"quantity": 12.5, "occurred_at": "2026-03-10T10:00:00Z"}
    again = event | {"quantity": "12.50", "occurred_at": "2026-03-10T12:00:00+02:00"}
    assert post("/v1/usage/events", first)[1]["results"][0]["status"] == "accepted"
    assert post("/v1/usage/events", again)[1]["results"][0]["status"] == "duplicate"


def test_local_model_is_not_the_platforms_to_run(post: Post, customer: Customer) -> None:
    """K6: a model of the tenant's own machines needs the tenant's address."""
    local = _run(customer, "a") | {"provider": "ollama", "model": "llama3.2"}
    assert post("/v1/runtime/authorizations", local)[1]["code"] == "missing-provider-credential"
