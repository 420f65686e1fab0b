"""Rated events on their way into the database."""

import hashlib
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from billing.subscriptions.terms import AccountTerms
from billing.usage.inputs import EventInput

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
    credential_reason: str = ""
    credential_id: UUID | None = None


def digest_of(body: msgspec.Struct) -> str:
    """A fingerprint of a request's content, in hexadecimal: the same key with another one is a conflict."""
    return hashlib.blake2b(_encoder.encode(body), digest_size=16).hexdigest()


def to_json(rows: list[EventRow]) -> str:
    """The rows as the database functions take them."""
    return _encoder.encode(rows).decode()


def funding_of(event: EventInput, terms: AccountTerms) -> tuple[str, str]:
    """Whose key the event ran on and who pays for it.

    A plan of the strict own-key kind has no platform keys: its model usage is paid to the provider (U7). What is not
    model usage is charged on every plan: from credits where the plan is one of credits, else on the invoice.
    """
    if event.product != "llm":
        return "none", "credits" if terms.usage_funding == "credits" else "invoice"
    if terms.credential_policy == "byok_only":
        return "byok", "provider"
    return "platform", "credits" if terms.usage_funding == "credits" else "included"
