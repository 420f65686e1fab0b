"""One Idempotency-Key sent several times at once, over connections of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from django.db import connection, connections

from billing.api import idempotency
from billing.api.idempotency import answered_once
from billing.api.models import KeptAnswer
from billing.core.problems import Problem
from sandbox.providers.process import ProvidersSandbox
from tests.api.calls import call
from tests.make import AT, Customer, make_customer
from tests.vault.make import make_credential
from vault.models import Credential, CredentialVersion

TOGETHER = 4
PATH = "/v1/vault/credentials"


class Said(msgspec.Struct, frozen=True):
    """An answer."""

    word: str


@pytest.fixture
def customer(db: None) -> Customer:
    return make_customer()


def at_once(work: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(TOGETHER)

    def run(_number: int) -> Any:
        connection.ensure_connection()
        barrier.wait()
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(run, range(TOGETHER)))


def answered(customer: Customer, do: Callable[[], Said], **changed: Any) -> Any:
    values: dict[str, Any] = {"operation": "test", "key": "once", "body": {}, "at": AT} | changed
    return answered_once(tenant_id=customer.tenant.id, do=do, **values)


@pytest.mark.usefixtures("own_vault")
@pytest.mark.parametrize("named", [{}, {"name": "Mail"}])
def test_one_key_of_many_requests(providers: ProvidersSandbox, named: dict[str, str]) -> None:
    """F3: sent four times at once a key is added once, and all four are answered with it."""
    customer = make_customer()
    providers.fault("slow", provider="openai", seconds=0.5)
    body = {"provider": "openai", "api_key": providers.key("openai")} | named
    answers = at_once(lambda: call("POST", PATH, customer.key, body, **{"Idempotency-Key": "add-1"}))
    assert [answer.status_code for answer in answers] == [201] * TOGETHER
    assert len({answer.content for answer in answers}) == 1
    assert Credential.objects.count() == len(providers.calls()) == 1


@pytest.mark.usefixtures("own_vault")
def test_one_rotation_of_many_requests(providers: ProvidersSandbox) -> None:
    """F3, K8: nobody is told that somebody else was faster."""
    customer = make_customer()
    path = f"{PATH}/cred_{make_credential(customer.tenant).id.hex}/rotate"
    body = {"api_key": providers.key("openai", "tenant")}
    answers = at_once(lambda: call("POST", path, customer.key, body, **{"Idempotency-Key": "rotate-1"}))
    assert [(answer.status_code, answer.json()["version"]) for answer in answers] == [(200, 2)] * TOGETHER
    assert CredentialVersion.objects.count() == 2


@pytest.mark.usefixtures("vault")
def test_told_to_come_again(customer: Customer, providers: ProvidersSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """F3: whose wait is over gets 409 `request-in-progress` and a time, and nothing is done."""
    monkeypatch.setattr(idempotency, "_LOOKS", 2)
    body = {"provider": "openai", "api_key": providers.key("openai")}
    headers = {"Idempotency-Key": "add-1"}
    call("POST", PATH, customer.key, body, **headers)
    KeptAnswer.objects.update(answer="", claim=uuid4(), claimed_at=AT)
    answer = call("POST", PATH, customer.key, body, **headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "request-in-progress")
    assert int(answer.headers["Retry-After"]) > 0
    assert Credential.objects.count() == 1


def test_failure_gives_the_claim_back(customer: Customer) -> None:
    """F3: the next one works on it at once."""

    def fail() -> Said:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        answered(customer, fail)
    assert answered(customer, lambda: Said("second")) == Said("second")
    assert bytes(answered(customer, lambda: Said("third"))) == b'{"word":"second"}'


def test_claim_of_a_process_that_died(customer: Customer) -> None:
    """F3: it ends by its age."""
    answered(customer, lambda: Said("first"))
    KeptAnswer.objects.update(answer="", claim=uuid4(), claimed_at=AT)
    assert answered(customer, lambda: Said("second"), at=AT + timedelta(minutes=3)) == Said("second")


@pytest.mark.usefixtures("vault")
def test_claim_taken_over_stores_nothing(customer: Customer, providers: ProvidersSandbox) -> None:
    """F3: a request that was thought dead stores no second key: its answer and its key are one transaction's."""
    body = {"provider": "openai", "api_key": providers.key("openai")}

    def overtaken(answer: object) -> Any:
        KeptAnswer.objects.update(claim=uuid4())
        return b"{}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(idempotency, "encode", overtaken)
        answer = call("POST", PATH, customer.key, body, **{"Idempotency-Key": "add-1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "request-in-progress")
    assert not Credential.objects.exists()
    with pytest.raises(Problem):
        answered(customer, lambda: Said("other"), operation="add-credential", key="add-1")
