"""What we take from an event of Stripe's: whom it is about. Everything else in it may be anything."""

from typing import Annotated

import msgspec
from msgspec import Meta

_LAST_SECOND = 253_402_300_799  # of the year 9999, UTC

# Stripe's ids and names have no spaces, no control characters and nothing beyond ASCII.
_EventId = Annotated[str, Meta(pattern=r"\A[!-~]+\Z", max_length=255)]
_EventType = Annotated[str, Meta(pattern=r"\A[!-~]+\Z", max_length=100)]
_Kind = Annotated[str, Meta(pattern=r"\A[!-~]*\Z", max_length=60)]
_Id = Annotated[str, Meta(pattern=r"\A[!-~]*\Z", max_length=255)]


class MisshapenEvent(ValueError):
    """A text that is no event as Stripe sends them; says why, without any of its values."""


class Expanded(msgspec.Struct, frozen=True):
    """An object in the place of its id."""

    id: _Id | None = None


class Thing(msgspec.Struct, frozen=True):
    """The object that something happened to; a notice that is about none has no id."""

    id: _Id | None = None
    object: _Kind = ""
    customer: _Id | Expanded | None = None

    @property
    def customer_id(self) -> str:
        """The customer that it is of, or is."""
        if self.object == "customer":
            return self.id or ""
        customer = self.customer.id if isinstance(self.customer, Expanded) else self.customer
        return customer or ""


class Data(msgspec.Struct, frozen=True):
    """The object as it was, and those of its attributes that it had before."""

    object: Thing
    previous_attributes: Thing | None = None


class ToldEvent(msgspec.Struct, frozen=True):
    """An event; `created` in seconds since 1970, `account` for one of a connected account."""

    id: _EventId
    type: _EventType
    created: Annotated[int, Meta(ge=0, le=_LAST_SECOND)]
    livemode: bool
    data: Data
    account: _Id | None = None

    @property
    def customer_id(self) -> str:
        """The customer it is about; a card that was taken away has one among the previous attributes alone."""
        before = self.data.previous_attributes
        return self.data.object.customer_id or (before.customer_id if before else "")


_decoder = msgspec.json.Decoder(ToldEvent)


def read_event(text: str) -> ToldEvent:
    """An event from its JSON text. Raises MisshapenEvent (S4)."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as error:
        raise MisshapenEvent(f"The body is no event of Stripe's: {error}.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise MisshapenEvent(f"The body is not valid JSON: {error}.") from None
