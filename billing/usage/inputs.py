"""What a program may report: the shape of a usage event, validated while it is decoded."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from billing.core.money import round_rated

Name = Annotated[str, Meta(max_length=100)]
Key = Annotated[str, Meta(min_length=1, max_length=200)]
# Beyond any real request, and far from what a bigint sum of them could not hold.
Tokens = Annotated[int, Meta(ge=0, le=1_000_000_000)]
# A plain decimal as text, or a JSON number.
Quantity = Annotated[str, Meta(pattern=r"^[0-9]{1,13}(\.[0-9]{1,9})?$")] | int | float
Product = Literal["llm", "pstn", "kb_storage", "callbacks", "compute", "requests"]

MAX_QUANTITY = Decimal(10) ** 9  # in any unit: minutes, seconds, gigabytes a month, calls
RESERVED_KEYS = "quaestor:"  # keys of events that the system records itself


class EventInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A usage event as reported. Tokens for `llm`, a quantity in the product's unit for everything else.

    `idempotency_key` is unique for ever within the billing account that pays for the workspace, and stays known when
    the workspace moves to another: the same event again is a duplicate, another event under the key a conflict.
    `credential_source` says whose provider key an `llm` event ran on; where it is left out, the plan says so.
    """

    idempotency_key: Key
    workspace: Annotated[str, Meta(min_length=1, max_length=100)]
    product: Product
    provider: Annotated[str, Meta(max_length=40)] = ""
    model: Annotated[str, Meta(max_length=120)] = ""
    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_input_tokens: Tokens = 0
    quantity: Quantity | None = None
    office: Name = ""
    agent: Name = ""
    session: Name = ""
    user: Name = ""
    occurred_at: Annotated[datetime, Meta(tz=True)] | None = None
    # Left out of an event's digest where it is not sent, so that events of before this field keep theirs.
    credential_source: Literal["platform", "byok"] | UnsetType = UNSET

    @property
    def amount(self) -> Decimal:
        """The quantity as a number; zero where there is none."""
        return Decimal(str(self.quantity or 0))

    def normalised(self) -> "EventInput":
        """The same event in one spelling: 12.5 and “12.50”, 10:00 UTC and 12:00 at +02:00 are one body."""
        if self.quantity is None and (self.occurred_at is None or self.occurred_at.tzinfo is UTC):
            return self
        return msgspec.structs.replace(
            self,
            quantity=None if self.quantity is None else f"{self.amount.normalize():f}",
            occurred_at=None if self.occurred_at is None else _in_utc(self.occurred_at),
        )


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # at the calendar's edge: refused for its date later on
        return at


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
    names = f"{event.provider}{event.model}{event.office}{event.agent}{event.session}{event.user}"
    if "\x00" in f"{event.idempotency_key}{event.workspace}{names}":
        return "Text cannot contain the character NUL."
    if event.product == "llm":
        return _check_tokens(event)
    if event.provider or event.model or event.input_tokens or event.output_tokens or event.cached_input_tokens:
        return f"An event of product {event.product} has a quantity; provider, model and tokens belong to llm."
    if event.credential_source is not UNSET:
        return f"An event of product {event.product} has no credential_source; it belongs to llm."
    return _check_quantity(event)


def _check_tokens(event: EventInput) -> str | None:
    if event.quantity is not None:
        return "An llm event has input_tokens and output_tokens, no quantity."
    if not event.provider or not event.model:
        return "An llm event names its provider and model."
    if event.cached_input_tokens > event.input_tokens:
        return "cached_input_tokens are part of input_tokens and cannot exceed them."
    return None


def _check_quantity(event: EventInput) -> str | None:
    if event.quantity is None:
        return "quantity is missing."
    amount = event.amount
    if not amount.is_finite() or amount < 0 or amount > MAX_QUANTITY:
        return f"quantity is a number from 0 to {MAX_QUANTITY}."
    if round_rated(amount) != amount:
        return "quantity has at most nine decimals."
    return None
