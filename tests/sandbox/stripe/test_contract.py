"""The official document of the pinned API version decides what may be asked and answered (S1)."""

import http.client
import json
from urllib.parse import urlencode

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.coercion import compile_request
from sandbox.stripe.conformance import ViolationError, compile_answer
from sandbox.stripe.contract import find_operation, operation
from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import decode
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from sandbox.stripe.specification import API_VERSION, document


def request(
    server: StripeSandbox, method: str, path: str, body: dict[str, str] | None = None, **headers: str
) -> tuple[int, dict[str, object], dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    sent = {"Authorization": f"Bearer {TEST_KEY}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, urlencode(body or {}), sent)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read()), {name.lower(): value for name, value in answer.headers.items()}
    connection.close()
    return found


def test_document_sdk_and_settings_agree_on_the_version() -> None:
    assert document()["info"]["version"] == API_VERSION == stripe.api_version


def test_forms_nest_as_the_sdk_writes_them() -> None:
    decoded = decode("a=1&m[k]=v&items[0][price]=p&items[1][price]=q&expand[]=x&expand[]=y&tiers[][up_to]=5&m[2]=w")
    assert decoded == {
        "a": "1",
        "m": {"k": "v", "2": "w"},
        "items": {"0": {"price": "p"}, "1": {"price": "q"}},
        "expand": {"0": "x", "1": "y"},
        "tiers": {"0": {"up_to": "5"}},
    }


@pytest.mark.parametrize("text", ["a=1&a[b]=2", "a[b]=2&a=1", "[x]=1", "a]=1", "a=%ff"])
def test_contradicting_names_are_refused(text: str) -> None:
    with pytest.raises(StripeError):
        decode(text)


def test_requests_get_the_schema_s_types() -> None:
    template = "/v1/prices"
    asked = decode("currency=usd&unit_amount=500&active=false&recurring[interval]=month&metadata[a]=")
    assert operation("POST", template).decoded(asked) == {
        "currency": "usd",
        "unit_amount": 500,
        "active": False,
        "recurring": {"interval": "month"},
        "metadata": {"a": ""},
    }


@pytest.mark.parametrize(
    ("asked", "param", "code"),
    [
        ("unit_amount=1", "currency", "parameter_missing"),
        ("currency=usd&colour=red", "colour", "parameter_unknown"),
        ("currency=usd&recurring[every]=1", "recurring[every]", "parameter_unknown"),
        ("currency=usd&recurring[interval_count]=1", "recurring[interval]", "parameter_missing"),
        ("currency=usd&unit_amount=1.5", "unit_amount", "parameter_invalid_integer"),
        ("currency=usd&nickname=", "nickname", "parameter_invalid_empty"),
        ("currency=usd&recurring[interval]=hour", "recurring[interval]", None),
        ("currency=dollars", "currency", None),
        ("currency=usd&active=yes", "active", None),
        ("currency=usd&tiers=1", "tiers", None),
        ("currency=usd&unit_amount_decimal=0.0.1", "unit_amount_decimal", None),
    ],
)
def test_a_request_that_breaks_the_document_is_refused(asked: str, param: str, code: str | None) -> None:
    with pytest.raises(StripeError) as refusal:
        operation("POST", "/v1/prices").decoded(decode(asked))
    assert (refusal.value.status, refusal.value.param, refusal.value.code) == (400, param, code)


def test_of_several_shapes_the_narrowest_that_fits_is_taken() -> None:
    coerce = compile_request(
        {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "integer"}, {"type": "string", "enum": ["now"]}]}
    )
    assert [coerce(text, "x") for text in ("12", "now", "later")] == [12, "now", "later"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"created": None}, "created"),
        ({"charge": "ch_1"}, "charge is unknown"),
        ({"tax_exempt": "perhaps"}, "tax_exempt"),
        ({"invoice_settings": {"default_payment_method": 1}}, "default_payment_method"),
        ({"balance": True}, "balance"),
    ],
)
def test_an_answer_that_breaks_the_document_is_noticed(change: dict[str, object], complaint: str) -> None:
    check = compile_answer({"$ref": "#/components/schemas/customer"})
    customer = {"id": "cus_1", "object": "customer", "created": 1, "livemode": False}
    check(customer, "")
    with pytest.raises(ViolationError, match=complaint):
        check(customer | change, "")


def test_a_literal_path_wins_over_an_argument() -> None:
    found = [find_operation("GET", path) for path in ("/v1/customers/search", "/v1/customers/cus_1")]
    assert [pair and (pair[0].template, pair[1]) for pair in found] == [
        ("/v1/customers/search", {}),
        ("/v1/customers/{customer}", {"customer": "cus_1"}),
    ]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "text"),
    [
        ("GET", "/v1/nonsense", {}, 404, "Unrecognized request URL"),
        ("DELETE", "/v1/account", {}, 404, "Unrecognized request URL"),
        ("GET", "/v1/account", {"Authorization": "Bearer sk_live_0123456789abcdefghijABCD"}, 401, "Invalid API Key"),
        ("GET", "/v1/account", {"Authorization": ""}, 401, "did not provide an API key"),
        ("GET", "/v1/account", {"Stripe_Version": "2020-08-27"}, 400, "2020-08-27"),
        ("GET", "/v1/account", {"Stripe_Account": "acct_unknown"}, 403, "does not have access"),
        ("GET", "/v1/customers/cus_none", {}, 404, "No such customer: 'cus_none'"),
    ],
)
def test_what_cannot_be_served_gets_the_api_s_own_body(
    stripe_server: StripeSandbox, *, method: str, path: str, headers: dict[str, str], status: int, text: str
) -> None:
    answer = request(stripe_server, method, path, **headers)
    error = answer[1]["error"]
    assert isinstance(error, dict)
    assert (answer[0], error["type"]) == (status, "invalid_request_error")
    assert text in error["message"]


def test_answers_carry_request_id_and_version(stripe_server: StripeSandbox) -> None:
    status, body, headers = request(stripe_server, "GET", "/v1/account", Stripe_Version=API_VERSION)
    assert (status, body["object"], headers["stripe-version"]) == (200, "account", API_VERSION)
    assert headers["request-id"].startswith("req_")


def test_the_sdk_sees_a_missing_object_as_such(client: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.products.retrieve("prod_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
