"""Rated events on their way into the database."""

import hashlib
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


def digest_of(body: msgspec.Struct) -> str:
    """A fingerprint of a request's content, in hexadecimal: the same key with another one is a conflict."""
    return hashlib.blake2b(_encoder.encode(body), digest_size=16).hexdigest()


def to_json(rows: list[EventRow]) -> str:
    """The rows as the database functions take them."""
    return _encoder.encode(rows).decode()
