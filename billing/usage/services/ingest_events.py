from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import Problem, problem
from billing.plans.queries import price_book
from billing.subscriptions import directory
from billing.usage.inputs import EventInput, EventResult, check_event
from billing.usage.rows import EventRow, digest_of
from billing.usage.services.prepare_event import Rating, prepare_event
from billing.usage.services.record_batch import Known, StaleTerms, record_batch
from billing.usage.services.used_so_far import UsedSoFar
from tenants.queries import Caller

_decoder = msgspec.json.Decoder(EventInput)
_ATTEMPTS = 5


@dataclass
class _Batch:
    """What of one call belongs to one account: the places in the call, each key once."""

    events: dict[int, tuple[EventInput, UUID]] = field(default_factory=dict)
    first_place: dict[str, int] = field(default_factory=dict)


def ingest_events(*, caller: Caller, events: Sequence[msgspec.Raw], at: datetime) -> list[EventResult]:
    """Record reported events; the results stand in the order of the events (U1, U2).

    Each account's events are recorded, rated and charged in one transaction. An event that cannot be taken is
    rejected by itself, with a code, and leaves no trace.
    """
    results: list[EventResult | None] = [None] * len(events)
    batches: dict[UUID, _Batch] = {}
    for place, raw in enumerate(events):
        event = _decode(raw)
        located = event if isinstance(event, EventResult) else _locate(caller, event)
        if isinstance(event, EventResult) or isinstance(located, EventResult):
            results[place] = event if isinstance(event, EventResult) else located
            continue
        batch = batches.setdefault(located.account_id, _Batch())
        batch.first_place.setdefault(event.idempotency_key, place)
        batch.events[place] = (event, located.workspace_id)
    # Accounts in id order: two calls that touch the same ones never wait for each other in a circle.
    for account_id in sorted(batches):
        _record(account_id, batches[account_id], at, results)
    return [result for result in results if result is not None]


def _decode(raw: msgspec.Raw) -> EventInput | EventResult:
    try:
        event = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        return EventResult(idempotency_key=_key_of(raw), status="rejected", code="invalid-request", detail=str(error))
    fault = check_event(event)
    if fault is None:
        return event
    return EventResult(idempotency_key=event.idempotency_key, status="rejected", code="invalid-request", detail=fault)


def _key_of(raw: msgspec.Raw) -> str | None:
    body = msgspec.json.decode(raw)
    key = body.get("idempotency_key") if isinstance(body, dict) else None
    return key if isinstance(key, str) else None


def _locate(caller: Caller, event: EventInput) -> directory.Placement | EventResult:
    placement = directory.place(tenant_id=caller.tenant_id, workspace=event.workspace)
    if placement is None or caller.workspace_id not in {None, placement.workspace_id}:
        return EventResult(
            idempotency_key=event.idempotency_key,
            status="rejected",
            code="not-found",
            detail=f"There is no workspace “{event.workspace}”.",
        )
    return placement


def _record(account_id: UUID, batch: _Batch, at: datetime, results: list[EventResult | None]) -> None:
    for _ in range(_ATTEMPTS):
        try:
            recorded = dict(_record_once(account_id, batch, at))
        except StaleTerms:
            directory.forget(account_id)
            continue
        for place, (event, _) in batch.events.items():
            first = batch.first_place[event.idempotency_key]
            same = place == first or digest_of(event) == digest_of(batch.events[first][0])
            results[place] = recorded[first] if place == first else _repeat(recorded[first], event, same=same)
        return
    raise problem("account-changed", "The account keeps changing; send the events again.", retry_after=1)


@transaction.atomic
def _record_once(account_id: UUID, batch: _Batch, at: datetime) -> list[tuple[int, EventResult]]:
    terms = directory.terms_at(account_id, at)
    firsts = {place: batch.events[place] for place in batch.first_place.values()}
    used = UsedSoFar(terms, products={event.product for event, _ in firsts.values()})
    rating = Rating(terms, price_book(at), used, at)
    done: list[tuple[int, EventResult]] = []
    rows: dict[int, EventRow] = {}
    for place, (event, workspace_id) in firsts.items():
        try:
            rows[place] = prepare_event(event, workspace_id=workspace_id, rating=rating)
        except Problem as refusal:
            done.append((place, _rejected(event, refusal)))
    known = record_batch(terms=terms, rows=list(rows.values()), at=at)
    return done + [(place, _answer(row, known.get(index))) for index, (place, row) in enumerate(rows.items())]


def _rejected(event: EventInput, refusal: Problem) -> EventResult:
    return EventResult(
        idempotency_key=event.idempotency_key, status="rejected", code=refusal.code, detail=refusal.detail
    )


def _answer(row: EventRow, known: Known | None) -> EventResult:
    if known is None:
        return EventResult(idempotency_key=row.idempotency_key, status="accepted", event_id=encode_id("evt", row.id))
    return _seen_before(row.idempotency_key, encode_id("evt", known.event_id), same=known.same_body)


def _seen_before(key: str, event_id: str | None, *, same: bool) -> EventResult:
    if same:
        return EventResult(idempotency_key=key, status="duplicate", event_id=event_id)
    return EventResult(
        idempotency_key=key,
        status="conflict",
        event_id=event_id,
        code="idempotency-conflict",
        detail="The key was used before for an event with another body; nothing was recorded.",
    )


def _repeat(first: EventResult, event: EventInput, *, same: bool) -> EventResult:
    """The answer to a key that stands twice in one call: as if the second had been sent after the first."""
    if first.status == "rejected" or (first.status == "conflict" and same):
        return first
    return _seen_before(event.idempotency_key, first.event_id, same=same)
