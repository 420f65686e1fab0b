"""Request bodies: JSON as RFC 8259 has it, in UTF-8, an object, and not too large."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from billing.core.problems import problem


class StrictJSONParser(BaseParser):
    """Refuses what lenient parsers let through: NaN, a key that stands twice, other encodings, a body of no object.

    Numbers with a point or an exponent are read as Decimal: none is ever a float.
    """

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        encoding = (parser_context or {}).get("encoding", "utf-8")
        if encoding.lower() not in {"utf-8", "utf8"}:
            raise problem("unsupported-media-type", "JSON is sent in UTF-8.", remedy="Leave the charset out.")
        request = (parser_context or {}).get("request")
        if request is not None:
            refuse_packed(request.META)
        return _object_of(_read(stream, parser_context or {}))


def refuse_packed(meta: Mapping[str, Any]) -> None:
    """Raises Problem unsupported-media-type where the request's headers say that its body is compressed."""
    coding = meta.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if coding not in {"", "identity"}:
        raise problem("unsupported-media-type", "The body is compressed.", remedy="Send it without Content-Encoding.")


def _read(stream: IO[Any], context: Mapping[str, Any]) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    request = context.get("request")
    announced = request.META.get("CONTENT_LENGTH") if request is not None else None
    # The header is trusted only to refuse early; a body of unknown length is cut off by the second check.
    if announced and announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> Exception:
    return problem("body-too-large", f"The body is larger than {limit} bytes.", remedy="Send less at once.")


def _object_of(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=each_key_once, parse_constant=_no_constant, parse_float=Decimal
        )
    except RecursionError:
        raise problem("invalid-json", "The body is nested too deeply.") from None
    except (ValueError, ArithmeticError) as error:
        raise problem("invalid-json", f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise problem("invalid-request", "The body is a JSON object.")
    return value


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members, as json's `object_pairs_hook`. Raises ValueError where a key stands twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
