"""The header that makes a POST safe to send again."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from billing.core.problems import FieldError, problem

HEADER = "Idempotency-Key"
_VISIBLE = re.compile(r"[!-~]{1,200}")
_RULE = "1 to 200 visible ASCII characters, without spaces"

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]+$"},
    OpenApiParameter.HEADER,
    description=(
        "Names what is asked for: sent again under the same key it happens once and is answered as the first time; "
        f"the same key with another body is 409 `idempotency-conflict`. {_RULE.capitalize()}."
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
