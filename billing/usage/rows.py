"""Rated events on their way into the database."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="string")


class EventRow(msgspec.Struct, kw_only=True):
    """One row of usage events, by the table's column names."""

    id: UUID
    account_id: UUID
    tenant_id: UUID
    workspace_id: UUID
    idempotency_key: str
    body_digest: str
    product: str
    unit: str
    provider: str
    model: str
    credential_source: str
    quantity: Decimal
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    currency: str
    funding: str
    office: str
    agent: str
    session: str
    end_user: str
    outcome: str
    occurred_at: datetime
    recorded_at: datetime
    period_start: datetime
    reverses_id: UUID | None = None
    sandbox: bool = False
    credential_reason: str = ""
    credential_id: UUID | None = None


class Origin(msgspec.Struct, kw_only=True, frozen=True):
    """The columns that many events of a batch have in common: sent once for all of them."""

    account_id: UUID
    tenant_id: UUID
    workspace_id: UUID
    product: str
    unit: str
    provider: str
    model: str
    credential_source: str
    currency: str
    funding: str
    office: str
    agent: str
    session: str
    end_user: str
    outcome: str
    recorded_at: datetime
    period_start: datetime
    credential_reason: str
    credential_id: UUID | None


class BatchRow(msgspec.Struct, frozen=True):
    """The columns that are an event's own. `id` is 32 hexadecimal digits; `origin` counts from 1."""

    id: str
    idempotency_key: str
    body_digest: str
    origin: int
    quantity: Decimal | int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cost: Decimal
    occurred_at: datetime


def digest_of(body: msgspec.Struct) -> str:
    """A fingerprint of a request's content, in hexadecimal: the same key with another one is a conflict."""
    return hashlib.blake2b(_encoder.encode(body), digest_size=16).hexdigest()


def to_json(rows: Sequence[EventRow | BatchRow | Origin]) -> str:
    """The rows as the database functions take them."""
    return _encoder.encode(rows).decode()
