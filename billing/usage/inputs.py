"""What a program may report: the shape of a usage event, validated while it is decoded."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=100)]
Key = Annotated[str, Meta(min_length=1, max_length=200)]
# Beyond any real request, and far from what a bigint sum of them could not hold.
Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Product = Literal["llm", "pstn", "kb_storage", "callbacks", "compute", "requests"]

MAX_QUANTITY = Decimal(10) ** 12
RESERVED_KEYS = "quaestor:"  # keys of events that the system records itself


class EventInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A usage event as reported. Tokens for `llm`, a quantity in the product's unit for everything else."""

    idempotency_key: Key
    workspace: Annotated[str, Meta(min_length=1, max_length=100)]
    product: Product
    provider: Annotated[str, Meta(max_length=40)] = ""
    model: Annotated[str, Meta(max_length=120)] = ""
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_input_tokens: Tokens = 0
    quantity: Decimal | None = None
    office: Name = ""
    agent: Name = ""
    session: Name = ""
    user: Name = ""
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None


class EventResult(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """What became of one reported event."""

    idempotency_key: str | None
    status: Literal["accepted", "duplicate", "conflict", "rejected"]
    event_id: str | None = None
    code: str | None = None
    detail: str | None = None


def check_event(event: EventInput) -> str | None:
    """What the fields contradict each other in; None if nothing."""
    if event.idempotency_key.startswith(RESERVED_KEYS):
        return f"Keys that begin with “{RESERVED_KEYS}” are the system's own."
    texts = f"{event.idempotency_key}{event.workspace}{event.office}{event.agent}{event.session}{event.user}"
    if "\x00" in texts:
        return "Text cannot contain the character NUL."
    if event.product == "llm":
        return _check_tokens(event)
    if event.provider or event.model or event.input_tokens or event.output_tokens or event.cached_input_tokens:
        return f"An event of product {event.product} has a quantity; provider, model and tokens belong to llm."
    return _check_quantity(event.quantity)


def _check_tokens(event: EventInput) -> str | None:
    if event.quantity is not None:
        return "An llm event has input_tokens and output_tokens, no quantity."
    if not event.provider or not event.model:
        return "An llm event names its provider and model."
    if event.cached_input_tokens > event.input_tokens:
        return "cached_input_tokens are part of input_tokens and cannot exceed them."
    return None


def _check_quantity(quantity: Decimal | None) -> str | None:
    if quantity is None:
        return "quantity is missing."
    if not quantity.is_finite() or quantity < 0 or quantity > MAX_QUANTITY:
        return f"quantity is a number from 0 to {MAX_QUANTITY}."
    exponent = quantity.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -9:
        return "quantity has at most nine decimals."
    return None
