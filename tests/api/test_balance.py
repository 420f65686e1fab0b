"""GET /v1/billing/balance."""

from datetime import timedelta
from decimal import Decimal

import time_machine
from django.utils.timezone import now
from pytest_django import DjangoAssertNumQueries

from billing.credits.models import Grant
from billing.credits.services.grant_credits import grant_credits
from billing.runtime.requests import AuthorizationRequest
from billing.runtime.services.authorize import authorize
from billing.subscriptions.models import BillingAccount
from tests.api.calls import get
from tests.make import AT, make_account, make_api_key, make_credits, make_customer, make_workspace

PATH = "/v1/billing/balance"


def test_balance_in_exact_numbers(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """M3: currency, balance, credits and threshold, as numbers with the digits that they have."""
    customer = make_customer(balance="142.87")
    with django_assert_num_queries(3):
        response = get(PATH, customer.key)
    assert response.content == (
        b'{"currency":"USD","balance":142.87,"credits":142.87,"low_balance_threshold":10.00,'
        b'"held":"0.000000000","available":"142.870000000","owed":"0.000000000"}'
    )


def test_digits_that_no_float_has() -> None:
    """M3, M11: a balance with 21 digits arrives with all of them."""
    customer = make_customer(balance="123456789012.123456789")
    assert b'"balance":123456789012.123456789,' in get(PATH, customer.key).content


def test_nothing_is_zero() -> None:
    """M3: an account without credits has 0.00, not an absent figure."""
    assert b'"balance":0.00,"credits":0.00,' in get(PATH, make_customer().key).content


def test_holds_are_told() -> None:
    """M2, M3: the balance includes what is held; available is what can still be spent."""
    customer = make_customer(balance="10")
    run = AuthorizationRequest(
        workspace="main",
        idempotency_key="a",
        input_tokens=1000,
        max_output_tokens=500,
        provider="openai",
        model="gpt-4o",
    )
    held = Decimal(authorize(caller=customer.key.caller, request=run, at=now()).held)
    body = get(PATH, customer.key).json()
    assert held > 0
    assert (body["balance"], Decimal(body["held"]), Decimal(body["available"])) == (10, held, 10 - held)


def test_expired_credits_are_not_counted() -> None:
    """M6: credits that have expired are gone at once, swept or not."""
    customer = make_customer(balance="5")
    grant_credits(
        account_id=customer.account.credits_id,
        amount=Decimal(7),
        source=Grant.Source.PROMOTION,
        idempotency_key="promotion",
        at=AT,
        expires_at=AT + timedelta(days=1),
    )
    assert get(PATH, customer.key).json()["balance"] == 12
    with time_machine.travel(AT + timedelta(days=1), tick=False):
        assert get(PATH, customer.key).json()["balance"] == 5


def test_which_account() -> None:
    """P11: the named workspace's account, else the key's workspace's, else the tenant's default account."""
    customer = make_customer(balance="1")
    other = make_account(customer.tenant, name="Test", is_default=False)
    make_credits(other, "2")
    workspace = make_workspace(customer.tenant, "sandbox", account=other)
    bound = make_api_key(customer.tenant, workspace=workspace)
    assert get(PATH, customer.key).json()["balance"] == 1
    assert get(f"{PATH}?workspace=sandbox", customer.key).json()["balance"] == 2
    assert get(f"{PATH}?workspace={workspace.id}", customer.key).json()["balance"] == 2
    assert get(PATH, bound).json()["balance"] == 2


def test_threshold_of_the_account() -> None:
    """M3: the threshold is the account's own."""
    customer = make_customer()
    BillingAccount.objects.filter(id=customer.account.id).update(low_balance_threshold=Decimal("2.5"))
    assert b'"low_balance_threshold":2.50' in get(PATH, customer.key).content
