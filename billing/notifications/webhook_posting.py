"""A webhook as it goes over the wire, and what its answer means (N1)."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.core.ids import encode_id
from billing.notifications.models import WebhookDelivery, WebhookEndpoint
from billing.notifications.queries import body_of
from billing.notifications.webhook_retries import asked_rest
from billing.notifications.webhook_signing import PURPOSE, signature_header
from vault.crypto.secret import Secret
from vault.errors import AddressNotAllowed, Unanswered, Unreadable
from vault.models import SealedText
from vault.outbound.addresses import is_exempt, origin_of
from vault.outbound.calls import Answer, Call
from vault.outbound.exchange import exchange
from vault.outbound.resolving import Resolve
from vault.sealed_texts import unseal_text

_READ = 16 * 1024  # bytes of an answer
_KEPT = 1000  # characters of it
_GONE = 410
GONE = "The endpoint answered 410: it is gone for good."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try; an empty `error` is success. `rest` is what the endpoint asked for."""

    error: str
    duration: timedelta
    status: int | None = None
    answer: str = ""
    rest: timedelta | None = None

    @property
    def is_gone(self) -> bool:
        """The endpoint wants no webhooks ever again."""
        return self.status == _GONE


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed request; `is_guarded`: to the public internet alone."""

    call: Call
    is_guarded: bool


def posting_of(delivery: WebhookDelivery, *, at: datetime) -> Posting:
    """The request for a delivery that was read with its event, endpoint and secrets, signed for this instant.

    Raises VaultError: the signature could not be made.
    """
    endpoint, body = delivery.endpoint, body_of(delivery.event)
    message_id, timestamp = encode_id("msg", delivery.event_id), int(at.timestamp())
    signature = signature_header(_valid_secrets(endpoint, at), message_id=message_id, timestamp=timestamp, body=body)
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }
    call = Call("POST", endpoint.url, headers, body_limit=_READ, content=body, is_cut=True)
    return Posting(call, is_guarded=not is_exempt(origin_of(endpoint.url)))


def _valid_secrets(endpoint: WebhookEndpoint, at: datetime) -> list[Secret]:
    """The newest first."""
    sealed: list[SealedText | None] = [endpoint.secret]
    if endpoint.previous_until is not None and endpoint.previous_until > at:
        sealed.append(endpoint.previous_secret)
    found = [unseal_text(text, tenant_id=endpoint.tenant_id, purpose=PURPOSE) for text in sealed if text is not None]
    if not found:
        raise Unreadable("The endpoint has no secret any more.")
    return found


def post(posting: Posting, *, seconds: float, at: datetime, resolve: Resolve) -> Outcome:
    """Send it, without the database. `seconds` is for all of it: the name, the connection and the answer."""
    began = time.monotonic()
    try:
        answer = exchange(posting.call, guarded=posting.is_guarded, seconds=seconds, resolve=resolve)
    except AddressNotAllowed as refusal:
        # It was when it was entered: names lead elsewhere since, or staff have withdrawn the host.
        return Outcome(f"Not sent: the address is not, or no longer, allowed. {refusal.reason}", _since(began))
    if isinstance(answer, Unanswered):
        return Outcome(answer.told_of("endpoint"), _since(began))
    return Outcome(
        _error(answer.status),
        _since(began),
        answer.status,
        _text(answer),
        asked_rest(answer.headers.get("retry-after", ""), at=at),
    )


def _since(began: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - began)


def was_gone(delivery: WebhookDelivery) -> bool:
    """Whether a delivery was cancelled because its endpoint answered that it is gone."""
    return delivery.state == WebhookDelivery.State.CANCELLED and delivery.error == GONE


def _error(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"The endpoint answered {status}: redirects are not followed."
    if status == _GONE:
        return GONE
    return f"The endpoint answered {status}."


def _text(answer: Answer) -> str:
    """The beginning of the answer, whatever its bytes are; PostgreSQL keeps no NUL."""
    return answer.body.decode(errors="replace").replace("\0", "")[:_KEPT]
