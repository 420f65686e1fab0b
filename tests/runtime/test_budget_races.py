"""Budgets of the platform's keys, and keys that change, under runs from many connections at once."""

import random
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from billing.core.problems import Problem
from billing.credits.services.check_ledger import check_ledger
from billing.runtime.decisions import AuthorizeRow, ReleaseRow, decide_authorize, decide_release
from billing.runtime.models import Authorization, BudgetWindow, ProviderBudget
from billing.runtime.preparation import Standing, prepare_run
from billing.runtime.services.expire_holds import expire_holds
from billing.subscriptions import directory
from billing.usage.models import UsageEvent
from tests.make import AT, Customer, make_customer
from tests.money_make import abandon, ask, finish, in_threads, revenue, start
from tests.runtime.own_keys import own_key
from vault.models import Credential

pytestmark = pytest.mark.usefixtures("own_vault")
LATER = AT + timedelta(minutes=20)
OPENAI = {"provider": "openai", "model": "gpt-4o"}
ANTHROPIC = {"provider": "anthropic", "model": "claude-haiku-4-5"}


def make_budget(amount: str, *, provider: str = "openai", period: str = "month") -> None:
    ProviderBudget.objects.create(provider=provider, period=period, amount=Decimal(amount), created_at=AT)


def try_to_start(customer: Customer, **changes: object) -> str:
    """The run's id, or the code of its refusal."""
    try:
        return start(customer, **changes).id
    except Problem as refusal:
        return refusal.code


def spent_and_reserved() -> set[tuple[Decimal, Decimal]]:
    return {(window.spent, window.reserved) for window in BudgetWindow.objects.all()}


def test_concurrent_requests_pass_a_budget_check() -> None:
    """Limits, K12: fifteen cents admit twenty of a hundred runs that four tenants ask for at once, and no cent more."""
    make_budget("0.15", period="day")
    make_budget("9")
    customers = [make_customer(balance="9") for _ in range(4)]
    answers = in_threads(lambda number: try_to_start(customers[number % 4]), 100)
    granted = [(number, answer) for number, answer in enumerate(answers) if answer.startswith("auth_")]
    assert len(granted) == 20
    assert set(answers) - {answer for _, answer in granted} == {"platform-budget-exhausted"}
    assert spent_and_reserved() == {(Decimal(0), Decimal("0.15"))}

    def settle(place: int) -> None:
        number, run = granted[place]
        finish(customers[number % 4], run)

    in_threads(settle, 20)
    assert spent_and_reserved() == {(Decimal("0.15"), Decimal(0))}


def test_settling_voiding_and_expiring_at_once() -> None:
    """K12: whoever comes first, each run's reservation goes back once, and what ran is spent once."""
    make_budget("99", period="day")
    make_budget("99")
    customers = [make_customer(balance="9") for _ in range(3)]
    runs = [start(customers[number % 3]).id for number in range(30)]

    def work(number: int) -> None:
        run, customer = runs[number % 30], customers[number % 3]
        if number % 4 == 0:
            expire_holds(at=LATER)
        elif number % 4 == 1:
            with suppress(Problem):  # settled already
                abandon(customer, run, at=LATER)
        else:
            finish(customer, run, at=LATER)

    in_threads(work, 120)
    expire_holds(at=LATER)
    cost = UsageEvent.objects.aggregate(sum=Sum("cost"))["sum"]
    assert spent_and_reserved() == {(cost, Decimal(0))}
    assert check_ledger(at=LATER) == []


def row_of(customer: Customer, **model: str) -> AuthorizeRow:
    placement = directory.place(tenant_id=customer.tenant.id, workspace="main")
    assert placement is not None
    terms = directory.terms_at(placement.account_id, AT)
    standing = Standing(placement, terms, directory.keys_of(terms))
    return prepare_run(customer.key.caller, ask(**model), standing, exhausted={}, at=AT, swept=False)


def test_requests_that_cross_providers_do_not_wait_in_a_circle() -> None:
    """K12: calls that decide several runs name two providers in either order, and none ends in a deadlock."""
    for provider in ("anthropic", "openai"):
        make_budget("99", provider=provider, period="day")
        make_budget("99", provider=provider)
    customers = [make_customer(balance="9") for _ in range(4)]
    for customer in customers:
        row_of(customer, **OPENAI)  # remembered from here on

    def work(number: int) -> list[str]:
        mine = random.sample(customers, 4)
        models = [OPENAI, ANTHROPIC] if number % 2 else [ANTHROPIC, OPENAI]
        rows = [row_of(customer, **models[place % 2]) for place, customer in enumerate(mine)]
        verdicts = [verdict.verdict for verdict in decide_authorize(rows, AT)]
        if number % 3 == 0:
            release = [ReleaseRow(id=row.id, ledger=row.ledger, revenue=revenue()) for row in reversed(rows)]
            verdicts += decide_release(release, "voided", AT)
        return verdicts

    answers = in_threads(work, 64)
    assert {verdict for verdicts in answers for verdict in verdicts} == {"granted", "released"}
    reserved = Authorization.objects.filter(state="open").values("provider").annotate(sum=Sum("quoted"))
    assert {window.reserved for window in BudgetWindow.objects.all()} == {row["sum"] for row in reserved}


def test_first_run_of_a_window_is_found_by_all() -> None:
    """K12: runs that open a month at the same moment share one window a budget."""
    make_budget("99", period="day")
    make_budget("99")
    customers = [make_customer(balance="9") for _ in range(8)]
    in_threads(lambda number: start(customers[number % 8]), 16)
    assert [window.reserved for window in BudgetWindow.objects.all()] == [Decimal("0.12")] * 2


def test_stale_cache_resurrects_a_revoked_key() -> None:
    """Limits, K4: runs that are decided while a key is disabled are on it before that, and never after."""
    customer = make_customer(balance="9")
    key = own_key(customer)
    start(customer)

    def work(number: int) -> tuple[str, bool]:
        if number == 20:
            Credential.objects.filter(id=key.id).update(disabled_at=AT)
        disabled_before = Credential.objects.get(id=key.id).disabled_at is not None
        return start(customer).credential_source, disabled_before

    answers = in_threads(work, 60)
    assert {source for source, disabled_before in answers if disabled_before} == {"platform"}
    assert start(customer).credential_reason == "fallback-disabled"


def test_remembered_keys_cost_no_query() -> None:
    """K5: with everything remembered a run is decided in one statement, on own keys as on the platform's."""
    customer = make_customer(balance="1")
    own_key(customer)
    for model in (OPENAI, ANTHROPIC):
        start(customer, **model)
        with CaptureQueriesContext(connection) as queries:
            start(customer, **model)
        assert len(queries) == 1
