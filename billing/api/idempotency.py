"""The header that makes a POST safe to send again."""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from time import sleep
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db import Error
from django.db.models import Q
from django.utils.crypto import salted_hmac
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from billing.api.models import KeptAnswer
from billing.api.renderers import encode
from billing.core.problems import FieldError, Problem, problem
from vault.crypto.secret import Secret

HEADER = "Idempotency-Key"
_VISIBLE = re.compile(r"[!-~]{1,200}")
_RULE = "1 to 200 visible ASCII characters, without spaces"
# Longer than any call to a provider or to Stripe takes: an older claim is of a process that died.
_LEASE = timedelta(minutes=2)
_LOOKS, _PAUSE = 20, 0.1  # how often, and how many seconds apart
_SOON = 2  # seconds after which the other request may be answered

Keep = Callable[[msgspec.Struct], None]

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=(
        "Names what is asked for: sent again under the same key it happens once and is answered as the first time; "
        "the same key with another body, or for a page that was closed unpaid since, is 409 `idempotency-conflict`. "
        "While the first request is being worked on it is waited for, and then 409 `request-in-progress`. "
        f"{_RULE.capitalize()}."
    ),
)


def idempotency_key(request: Request) -> str:
    """The caller's key; empty where none is sent. Raises the problem invalid-request for one that is no key."""
    key = request.headers.get(HEADER)
    if key is None:
        return ""
    if _VISIBLE.fullmatch(key) is None:
        raise problem(
            "invalid-request",
            f"The header {HEADER} is not valid.",
            remedy=f"Send {_RULE}, such as a UUID, or leave the header out.",
            errors=(FieldError(HEADER, "invalid", f"A key is {_RULE}."),),
        )
    return key


def _without_secret(value: object) -> str:
    """A provider's key in a request as a hash under SECRET_KEY: from the database alone no guess of it can be tried.

    It is not left out: the same idempotency key with another provider key must not pass for the same request.
    """
    if not isinstance(value, Secret):
        raise TypeError(f"A request holds no {type(value).__name__}.")
    return salted_hmac("billing.api.idempotency", value.reveal(), algorithm="sha256").hexdigest()


_encode_request = msgspec.json.Encoder(enc_hook=_without_secret).encode


def answered_once(
    *,
    account_id: UUID | None = None,
    tenant_id: UUID | None = None,
    operation: str,
    key: str,
    body: Mapping[str, Any],
    do: Callable[[], msgspec.Struct],
    at: datetime,
) -> msgspec.Struct | msgspec.Raw:
    """As `answered_together`, for what does nothing where there is nothing left to do: it can be done again where a
    process died between doing it and keeping its answer."""
    return answered_together(
        account_id=account_id,
        tenant_id=tenant_id,
        operation=operation,
        key=key,
        body=body,
        do=lambda keep: keep(do()),
        at=at,
    )


def answered_together(
    *,
    account_id: UUID | None = None,
    tenant_id: UUID | None = None,
    operation: str,
    key: str,
    body: Mapping[str, Any],
    do: Callable[[Keep], None],
    at: datetime,
) -> msgspec.Struct | msgspec.Raw:
    """What `do` answers; under a key, what it answered when it first succeeded, whatever has changed since (F3).

    `do` hands its answer to what it is given, in the transaction that stores what it did: both are kept, or neither.
    The key is the account's, or the tenant's where there is none. Whoever sends it while it is worked on waits a
    little. Raises the problems idempotency-conflict for a key that was used with another body and request-in-progress
    where the wait is over, and what `do` raises.
    """
    if not key:
        return _worked(do, _keep_nothing)
    digest = hashlib.sha256(_encode_request(body)).hexdigest()
    owner: dict[str, UUID | None] = {"account_id": account_id, "tenant_id": tenant_id}
    kept, _ = KeptAnswer.objects.get_or_create(
        **owner,
        operation=operation,
        idempotency_key=key,
        defaults={"request_digest": digest, "created_at": at},
    )
    if kept.request_digest != digest:
        raise problem(
            "idempotency-conflict", f"The {HEADER} was used for another request.", remedy="Use a new key for it."
        )
    claim = _claim(kept.id, at)
    return claim if isinstance(claim, msgspec.Raw) else _worked_under(kept.id, claim, do)


def _worked_under(kept_id: UUID, claim: UUID, do: Callable[[Keep], None]) -> msgspec.Struct:
    try:
        return _worked(do, partial(_keep, kept_id, claim))
    except BaseException:
        with suppress(Error):  # then it ends by its age
            KeptAnswer.objects.filter(id=kept_id, claim=claim).update(claim=None, claimed_at=None)
        raise


def _worked(do: Callable[[Keep], None], keep: Keep) -> msgspec.Struct:
    answers: list[msgspec.Struct] = []

    def note(answer: msgspec.Struct) -> None:
        keep(answer)
        answers.append(answer)

    do(note)
    return answers[-1]


def _keep_nothing(answer: msgspec.Struct) -> None:
    """Without a key nobody asks for the answer again."""


def _claim(kept_id: UUID, at: datetime) -> UUID | msgspec.Raw:
    """The right to work on a request, or its answer where another one has worked on it meanwhile.

    No row is locked while it is worked on. Raises the problem request-in-progress.
    """
    claim = uuid4()
    free = Q(claim=None) | Q(claimed_at__lt=at - _LEASE)
    for look in range(_LOOKS):
        if look:
            sleep(_PAUSE)
        if KeptAnswer.objects.filter(free, id=kept_id, answer="").update(claim=claim, claimed_at=at):
            return claim
        answer = KeptAnswer.objects.values_list("answer", flat=True).get(id=kept_id)
        if answer:
            return msgspec.Raw(answer.encode())
    raise _in_progress()


def _keep(kept_id: UUID, claim: UUID, answer: msgspec.Struct) -> None:
    """Raises the problem request-in-progress where the claim was so old that another request took it over."""
    text = encode(answer).decode()
    if not KeptAnswer.objects.filter(id=kept_id, claim=claim).update(answer=text, claim=None, claimed_at=None):
        raise _in_progress()


def _in_progress() -> Problem:
    return problem(
        "request-in-progress",
        f"A request under this {HEADER} is being worked on.",
        remedy="Send it again in a moment.",
        retry_after=_SOON,
    )
