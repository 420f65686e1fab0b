"""The hot endpoints: plain Django views around msgspec, because DRF and the ORM would cost most of their time.

They keep the rules of the rest of the API: the same keys and scopes, strict bodies, problem details, never a 500 for
bad input. Their part of the OpenAPI document is made from the same structs that validate.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from billing.api.errors import as_problem, render_problem
from billing.api.parsers import each_key_once, refuse_packed
from billing.core.problems import FieldError, Problem, problem

P = ParamSpec("P")
T = TypeVar("T")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_encoder = msgspec.json.Encoder(decimal_format="string")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def hot_endpoint(view: View[P]) -> View[P]:
    """POST only; whatever is raised becomes a problem."""

    @csrf_exempt
    @wraps(view)
    def endpoint(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            if request.method != "POST":
                response = render_problem(problem("method-not-allowed", f"Method “{request.method}” is not allowed."))
                response["Allow"] = "POST"
                return response
            return view(request, *args, **kwargs)
        except Exception as error:
            return render_problem(as_problem(error))

    return endpoint


def body_of(request: HttpRequest) -> bytes:
    """The request's JSON text. Raises Problem: unsupported-media-type, body-too-large."""
    charset = (request.content_params or {}).get("charset", "utf-8").lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise problem("unsupported-media-type", "The body is not JSON in UTF-8.", remedy="Send it as application/json.")
    refuse_packed(request.META)
    try:
        return request.body
    except RequestDataTooBig:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        raise problem(
            "body-too-large", f"The body is larger than {limit} bytes.", remedy="Send less at once."
        ) from None
    except (UnreadablePostError, RawPostDataException):
        raise problem("invalid-json", "The body could not be read.") from None


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as the decoder's type. Raises Problem: invalid-json, invalid-request with the field's path."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise problem("invalid-json", f"The body is not valid JSON: {error}.") from None


def decode_flat(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """An object without objects inside, as the decoder's type; a key that stands twice is invalid-json."""
    value = decode(decoder, body)
    refuse_repeated_keys(body, different=len(_members.decode(body)))
    return value


def refuse_repeated_keys(body: bytes, *, different: int) -> None:
    """Raises Problem invalid-json where an object of a valid body has a key twice; msgspec takes the last one.

    Each key ends in a quote before a colon, so that a body has no more keys than such pairs. Where there are as many
    pairs as `different` keys none stands twice, which is quickly seen; the other bodies are read key by key.
    """
    if body.translate(None, b" \t\r\n").count(b'":') == different:
        return
    try:
        json.loads(body, object_pairs_hook=each_key_once, parse_int=str, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise problem("invalid-json", f"The body is not valid JSON: {error}.") from None


def _invalid(error: msgspec.ValidationError) -> Problem:
    # msgspec ends its sentence with the path: “… - at `$.input_tokens`”.
    detail, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".") or "body"
    return problem(
        "invalid-request",
        f"{detail}." if field == "body" else f"{field}: {detail}.",
        errors=(FieldError(field, "invalid", detail),),
    )


def answer(body: object, status: int = 200) -> HttpResponse:
    """A JSON answer of structs."""
    return HttpResponse(_encoder.encode(body), status=status, content_type="application/json")
