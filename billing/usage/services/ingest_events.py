from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import transaction

from billing.core.ids import encode_digits, encode_id
from billing.core.problems import Problem, problem
from billing.credits.models import LedgerAccount
from billing.credits.services.open_ledger_account import platform_account
from billing.plans.queries import price_book
from billing.subscriptions import directory
from billing.subscriptions.terms_history import TermsHistory
from billing.usage.inputs import EventInput, EventResult, check_event
from billing.usage.models import UsageEvent
from billing.usage.rows import BatchRow, digest_of
from billing.usage.services.find_before_move import find_before_move
from billing.usage.services.prepare_event import Rating, prepare_event
from billing.usage.services.record_batch import Known, StaleTerms, record_batch
from billing.usage.services.used_so_far import UsedSoFar
from tenants.queries import Caller

_decoder = msgspec.json.Decoder(EventInput)
_ATTEMPTS = 5


@dataclass
class _Batch:
    """What of one call belongs to one account: events by their places in the call, workspaces by the names for them."""

    account_id: UUID
    events: dict[int, EventInput] = field(default_factory=dict)
    placements: dict[str, directory.Placement] = field(default_factory=dict)


@dataclass
class _Prepared:
    """A batch on its way: the rows to record by their places, which place each key's row stands at, and refusals."""

    rows: dict[int, BatchRow] = field(default_factory=dict)
    first_place: dict[str, int] = field(default_factory=dict)
    rejected: dict[int, EventResult] = field(default_factory=dict)


def ingest_events(*, caller: Caller, events: Sequence[EventInput | msgspec.Raw], at: datetime) -> list[EventResult]:
    """Record reported events; the results stand in the order of the events (U1, U2).

    Raw ones are decoded here, each by itself, so that a malformed one spoils no other. Each account's events are
    recorded, rated and charged in one transaction. An event that cannot be taken is rejected by itself, with a code,
    and leaves no trace. Raises Problem: account-changed.
    """
    results: dict[int, EventResult] = {}
    waiting: dict[int, EventInput] = {}
    for place, raw in enumerate(events):
        event = _checked(raw) if isinstance(raw, EventInput) else _decode(raw)
        if isinstance(event, EventResult):
            results[place] = event
        else:
            waiting[place] = event
    for _ in range(_ATTEMPTS):
        waiting = _record_what_stands(caller, waiting, at, results)
        if not waiting:
            return [results[place] for place in range(len(events))]
    raise problem("account-changed", "The account keeps changing; send the events again.", retry_after=1)


def _record_what_stands(
    caller: Caller, waiting: dict[int, EventInput], at: datetime, results: dict[int, EventResult]
) -> dict[int, EventInput]:
    """Record what belongs to accounts that have not changed; answers the rest, which may belong elsewhere by now."""
    by_name: dict[str, _Batch | None] = {}
    batches: dict[UUID, _Batch] = {}
    for place, event in waiting.items():
        if event.workspace not in by_name:
            by_name[event.workspace] = _batch_of(caller, event.workspace, batches)
        batch = by_name[event.workspace]
        if batch is None:
            results[place] = _not_found(event)
        else:
            batch.events[place] = event
    stale: dict[int, EventInput] = {}
    # Accounts in id order: two calls that touch the same ones never wait for each other in a circle.
    for account_id in sorted(batches):
        try:
            results.update(_record(batches[account_id], at))
        except StaleTerms:
            directory.forget(account_id)
            stale |= batches[account_id].events
    return stale


def _batch_of(caller: Caller, workspace: str, batches: dict[UUID, _Batch]) -> _Batch | None:
    """The batch of the account that pays for a workspace, begun where there is none; None if the caller sees none."""
    placement = directory.place(tenant_id=caller.tenant_id, workspace=workspace)
    if placement is None or caller.workspace_id not in {None, placement.workspace_id}:
        return None
    batch = batches.setdefault(placement.account_id, _Batch(placement.account_id))
    batch.placements[workspace] = placement
    return batch


def _decode(raw: msgspec.Raw) -> EventInput | EventResult:
    try:
        event = _decoder.decode(raw)
    except msgspec.ValidationError as error:
        return EventResult(idempotency_key=_key_of(raw), status="rejected", code="invalid-request", detail=str(error))
    except (msgspec.DecodeError, UnicodeDecodeError):  # text is only looked at now: the call took the event as bytes
        return EventResult(
            idempotency_key=None, status="rejected", code="invalid-request", detail="The event is not valid JSON."
        )
    return _checked(event)


def _checked(event: EventInput) -> EventInput | EventResult:
    fault = check_event(event)
    if fault is None:
        return event.normalised()
    return EventResult(idempotency_key=event.idempotency_key, status="rejected", code="invalid-request", detail=fault)


def _key_of(raw: msgspec.Raw) -> str | None:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    key = body.get("idempotency_key") if isinstance(body, dict) else None
    return key if isinstance(key, str) else None


def _not_found(event: EventInput) -> EventResult:
    return EventResult(
        idempotency_key=event.idempotency_key,
        status="rejected",
        code="not-found",
        detail=f"There is no workspace “{event.workspace}”.",
    )


def _record(batch: _Batch, at: datetime) -> dict[int, EventResult]:
    """Record one account's events; keys that a moved workspace used before are answered as then (P11)."""
    # Made before any lock is taken, where it is the currency's first: whoever waits for that holds nothing.
    platform_account(LedgerAccount.Kind.REVENUE, directory.terms_at(batch.account_id, at).currency)
    with transaction.atomic():
        known = find_before_move(account_id=batch.account_id, events=batch.events, placements=batch.placements)
        if not known:
            return _record_here(batch, at)
        results = {
            place: _seen_before(batch.events[place].idempotency_key, encode_id("evt", one.event_id), same=one.same_body)
            for place, one in known.items()
        }
        rest = {place: event for place, event in batch.events.items() if place not in known}
        return results | _record_here(replace(batch, events=rest), at) if rest else results


def _record_here(batch: _Batch, at: datetime) -> dict[int, EventResult]:
    """Record events whose keys are new to their workspaces, or known under this account."""
    account_id = batch.account_id
    history = TermsHistory(directory.terms_at(account_id, at))
    rating = Rating(history, price_book(at), UsedSoFar(history.current, events=batch.events.values()), at)
    prepared = _prepare(batch, rating)
    version = min(rating.version, *(placement.version for placement in batch.placements.values()))
    rows = prepared.rows
    if not rows and not directory.is_current(account_id, version):
        raise StaleTerms  # all rejected, on terms of the past
    results = prepared.rejected | _recorded_before(account_id, batch, prepared.rejected)
    known = record_batch(
        terms=history.current, version=version, rows=list(rows.values()), origins=rating.origins, at=at
    )
    results |= {place: _answer(row, known.get(index)) for index, (place, row) in enumerate(rows.items())}
    if len(results) == len(batch.events):
        return results
    for place, event in batch.events.items():
        if place not in results:
            first = prepared.first_place[event.idempotency_key]
            results[place] = _repeat(results[first], event, same=digest_of(event) == rows[first].body_digest)
    return results


def _prepare(batch: _Batch, rating: Rating) -> _Prepared:
    """Rate the events; of each key the first one that can be taken."""
    prepared = _Prepared()
    for place, event in batch.events.items():
        if event.idempotency_key in prepared.first_place:
            continue
        workspace_id = batch.placements[event.workspace].workspace_id
        try:
            prepared.rows[place] = prepare_event(event, workspace_id=workspace_id, rating=rating)
        except Problem as refusal:
            prepared.rejected[place] = _rejected(event, refusal)
        else:
            prepared.first_place[event.idempotency_key] = place
    return prepared


def _recorded_before(account_id: UUID, batch: _Batch, rejected: Iterable[int]) -> dict[int, EventResult]:
    """Answers to events that are rejected now and were recorded before: as then, whatever has changed (U2)."""
    refused = {place: batch.events[place] for place in rejected}
    if not refused:
        return {}
    keys = {event.idempotency_key for event in refused.values()}
    known = {
        one.idempotency_key: one for one in UsageEvent.objects.filter(account_id=account_id, idempotency_key__in=keys)
    }
    return {
        place: _seen_before(
            event.idempotency_key,
            encode_id("evt", known[event.idempotency_key].id),
            same=bytes(known[event.idempotency_key].body_digest).hex() == digest_of(event),
        )
        for place, event in refused.items()
        if event.idempotency_key in known
    }


def _rejected(event: EventInput, refusal: Problem) -> EventResult:
    return EventResult(
        idempotency_key=event.idempotency_key, status="rejected", code=refusal.code, detail=refusal.detail
    )


def _answer(row: BatchRow, known: Known | None) -> EventResult:
    if known is None:
        event_id = encode_digits("evt", row.id)
        return EventResult(idempotency_key=row.idempotency_key, status="accepted", event_id=event_id)
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
    if first.status == "conflict" and same:
        return first
    return _seen_before(event.idempotency_key, first.event_id, same=same)
