"""Reported events at the edges: of time, of numbers, of text, of a call's size, and of two calls at once."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from billing.credits.services.check_ledger import check_ledger
from billing.plans.models import Model, ModelPrice
from billing.plans.queries import clear_price_book
from billing.subscriptions.queries import terms_of
from billing.usage.inputs import EventResult
from billing.usage.models import Counter, UsageDelta, UsageEvent
from billing.usage.services.ingest_events import ingest_events
from tests.make import AT, Customer, make_customer
from tests.money_make import event, in_threads, money_of, report, statuses

TICK = timedelta(microseconds=1)
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)


def send_raw(customer: Customer, **fields: str) -> EventResult:
    """One `pstn` event whose fields are JSON texts as they are."""
    members = {"idempotency_key": '"k"', "workspace": '"main"', "product": '"pstn"', "quantity": '"1"'} | fields
    raw = "{" + ",".join(f'"{name}":{text}' for name, text in members.items()) + "}"
    (result,) = ingest_events(caller=customer.key.caller, events=[msgspec.Raw(raw.encode())], at=AT)
    return result


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("occurred_at", "expected"),
    [
        (AT + timedelta(minutes=5), "accepted"),
        (AT + timedelta(minutes=5) + TICK, "event-in-the-future"),
        (AT + timedelta(days=36_500), "event-in-the-future"),
        (EARLIEST, "accepted"),
        (EARLIEST - TICK, "invalid-request"),
    ],
)
def test_clocks_may_differ_by_five_minutes(occurred_at: datetime, expected: str) -> None:
    """U1: to the microsecond; what is taken lies in the period of its own time."""
    customer = make_customer("platform-starter")
    result = report(customer, event(product="pstn", quantity="1", occurred_at=occurred_at.isoformat()))
    assert statuses(result) == [expected]
    stored = UsageEvent.objects.filter(account_id=customer.account.id).values_list("occurred_at", "period_start")
    period = terms_of(customer.account.id, AT).period(occurred_at)
    assert list(stored) == ([(occurred_at, period.start)] if expected == "accepted" else [])


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ('"1000000000"', "accepted"),
        ('"1000000000.000000001"', "invalid-request"),
        ('"0.000000001"', "accepted"),
        ('"0.0000000001"', "invalid-request"),
        ("1e-10", "invalid-request"),
        ("1e400", "invalid-request"),
        ("1e9", "accepted"),
        pytest.param("9" * 400, "invalid-request", id="400 digits"),
        pytest.param("9" * 5000, "invalid-request", id="5000 digits"),
        ("NaN", "invalid-request"),
        ("Infinity", "invalid-request"),
        ('"NaN"', "invalid-request"),
        ('"-0"', "invalid-request"),
        ("-0.0", "accepted"),
        ("-1", "invalid-request"),
        ("true", "invalid-request"),
        ('"\u0661"', "invalid-request"),
        ('""', "invalid-request"),
    ],
)
def test_numbers_that_no_meter_shows(quantity: str, expected: str) -> None:
    """U1: a quantity is finite, not negative, at most a milliard, and has at most nine decimals."""
    customer = make_customer("platform-starter")
    assert statuses([send_raw(customer, quantity=quantity)]) == [expected]
    assert UsageEvent.objects.filter(account_id=customer.account.id).count() == (expected == "accepted")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("tokens", [1_000_000_001, -1, 1.5, "7", 10**30, True, None])
def test_tokens_that_no_model_takes(tokens: object) -> None:
    """U1: whole numbers from 0 to a milliard."""
    customer = make_customer("free")
    assert statuses(report(customer, event(input_tokens=tokens))) == ["invalid-request"]


@pytest.mark.usefixtures("catalogue")
def test_largest_events_add_up() -> None:
    """U1, U4: a thousand of the largest events are counted and charged to the last digit."""
    customer = make_customer("payg")
    ModelPrice.objects.create(
        model=Model.objects.get(provider="openai", name="gpt-4o"),
        effective_from=AT - TICK,
        input_per_million=Decimal("999.999999999"),
        output_per_million=1,
        source="staff",
    )
    clear_price_book()
    most = 1_000_000_000
    sent = [event(input_tokens=most, output_tokens=0) for _ in range(1000)]
    assert set(statuses(report(customer, *sent))) == {"accepted"}
    owed = 1000 * Decimal("999999.999999000")
    assert money_of(customer.account) == ("0", "0", f"{owed.normalize():f}")
    assert Counter.objects.get(account_id=customer.account.id, feature="tokens_per_month").used == 1000 * most


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "text", ["Büro 7", "東京オフィス", "👩‍💻" * 20, "a\u202eb", "e\u0301", "'; DROP TABLE x; --", "\\u0000", "x" * 100]
)
def test_names_are_kept_as_they_were_sent(text: str) -> None:
    """U1: any text of up to a hundred characters but NUL, unchanged, also as an idempotency key."""
    customer = make_customer("platform-starter")
    named = {"office": text, "agent": text, "session": text, "user": text}
    assert statuses(report(customer, event(text, product="pstn", quantity="1", **named)) * 2) == ["accepted"] * 2
    assert statuses(report(customer, event(text, product="pstn", quantity="1", **named))) == ["duplicate"]
    stored = UsageEvent.objects.get(account_id=customer.account.id)
    assert {stored.office, stored.agent, stored.session, stored.end_user, stored.idempotency_key} == {text}


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    "field", ["idempotency_key", "workspace", "provider", "model", "office", "agent", "session", "user"]
)
@pytest.mark.parametrize("text", ['"a\\u0000"', '"\\ud800"', pytest.param('"' + "x" * 201 + '"', id="long")])
def test_text_that_no_column_holds(field: str, text: str) -> None:
    """U1: NUL, half of a character and what is too long are the sender's mistake, in whatever field."""
    customer = make_customer("free")
    llm = {"product": '"llm"', "provider": '"openai"', "model": '"gpt-4o"', "quantity": "null"}
    result = send_raw(customer, **(llm | {field: text}))
    assert result.status == "rejected"
    assert result.code in {"invalid-request", "unpriced-model", "not-found"}


@pytest.mark.usefixtures("catalogue")
def test_one_bad_event_among_a_thousand() -> None:
    """U1: the others are recorded, each answered at its place."""
    customer = make_customer(balance="99")
    sent = [event() for _ in range(1000)]
    sent[617] |= {"model": "gpt-unheard-of"}
    results = report(customer, *sent)
    assert [place for place, result in enumerate(results) if result.status != "accepted"] == [617]
    assert [result.idempotency_key for result in results] == [one["idempotency_key"] for one in sent]
    assert money_of(customer.account)[0] == f"{99 - 999 * Decimal('0.0075'):f}"


@pytest.mark.usefixtures("own_database")
def test_batches_that_cross_with_the_same_keys() -> None:
    """U2: calls that hold the same keys in opposite orders all end, and each key is counted once."""
    customer, foreign = make_customer(balance="99"), make_customer(balance="99", slug="foreign")
    sent = [event(f"k{number}") for number in range(50)]

    def work(number: int) -> list[str]:
        mine = sent[::-1] if number % 2 else sent
        if number % 3 == 0:
            mine = random.sample(sent, 50)
        return statuses(report(foreign if number == 7 else customer, *mine))

    answers = in_threads(work, 16)
    foreigners = answers.pop(7)
    counts = [answer.count("accepted") for answer in answers]
    assert (sum(counts), foreigners) == (50, ["accepted"] * 50)
    assert {status for answer in answers for status in answer} == {"accepted", "duplicate"}
    assert UsageEvent.objects.filter(account_id=customer.account.id).count() == 50
    assert money_of(customer.account)[0] == money_of(foreign.account)[0] == "98.625"
    deltas = UsageDelta.objects.filter(account_id=customer.account.id).values_list("requests", flat=True)
    assert sum(deltas) == 50
    assert check_ledger(at=AT) == []
