"""The header that makes a POST safe to send again."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.utils.crypto import salted_hmac
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from billing.api.models import KeptAnswer
from billing.api.renderers import encode
from billing.core.problems import FieldError, problem
from vault.crypto.secret import Secret

HEADER = "Idempotency-Key"
_VISIBLE = re.compile(r"[!-~]{1,200}")
_RULE = "1 to 200 visible ASCII characters, without spaces"

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=(
        "Names what is asked for: sent again under the same key it happens once and is answered as the first time; "
        "the same key with another body, or for a page that was closed unpaid since, is 409 `idempotency-conflict`. "
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
    """What `do` answers; under a key, what it answered when it first succeeded, whatever has changed since (F3).

    The key is the account's, or the tenant's where there is none. For operations that do nothing where there is nothing
    left to do, so that a call which got no answer can be sent again. Raises the problem idempotency-conflict for a key
    that was used with another body, and what `do` raises.
    """
    if not key:
        return do()
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
    if kept.answer:
        return msgspec.Raw(kept.answer.encode())
    answer = do()
    KeptAnswer.objects.filter(id=kept.id).update(answer=encode(answer).decode())
    return answer
