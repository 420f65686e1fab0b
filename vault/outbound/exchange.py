"""One request and its answer: no redirects, no proxies, no more time or bytes than agreed, no word of what was sent."""

import ssl
import time
from collections.abc import Sequence
from functools import cache

import httpcore
import httpx
from django.views.decorators.debug import sensitive_variables

from vault.errors import Unanswered
from vault.outbound.addresses import Origin, origin_of, require_public, require_public_form, resolved
from vault.outbound.calls import Answer, Call
from vault.outbound.connecting import Budget, Pinned, TooMuch
from vault.outbound.networks import Address
from vault.outbound.resolving import Resolve, addresses_of

_HEADERS_LIMIT = 128 * 1024
_FRAMING = 4  # how much longer a body may be on the wire, in small chunks


def exchange(call: Call, *, guarded: bool, seconds: float, resolve: Resolve = addresses_of) -> Answer | Unanswered:
    """Make the call, without the database; answers why there is no answer. Raises AddressNotAllowed.

    `guarded`: the address has to be public, now, in all its addresses. A redirect is an answer, without its body.
    """
    ends = time.monotonic() + seconds
    origin = origin_of(call.url)
    if guarded:
        require_public_form(origin)
    try:
        addresses = resolved(origin, resolve, ends - time.monotonic())
    except Unanswered as nobody:
        return nobody
    if guarded:
        require_public(addresses)
    answer = _exchange(call, origin, addresses, seconds=ends - time.monotonic())
    if isinstance(answer, str):
        return Unanswered(answer.replace("{seconds}", f"{seconds:g}"))
    return answer


@sensitive_variables()
def _exchange(call: Call, origin: Origin, addresses: Sequence[Address], *, seconds: float) -> Answer | str:
    """The answer, or a sentence of ours on why there is none: exceptions of the libraries quote what was sent."""
    budget = Budget(seconds=seconds, size=call.body_limit * _FRAMING + _HEADERS_LIMIT)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=Pinned(addresses, budget)) as pool,
            pool.stream(call.method, call.url, headers=_headers(call, origin), content=call.content) as response,
        ):
            return Answer(response.status, _body(response, call), _read_headers(response))
    except TooMuch:
        return "The {side} answered with more than is read."
    except httpcore.TimeoutException:
        return "The {side} did not answer within {seconds} seconds."
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return "The connection to the {side} failed."


@sensitive_variables()
def _headers(call: Call, origin: Origin) -> list[tuple[bytes, bytes]]:
    """No content encoding is asked for: it would have to be undone, by whatever it grows."""
    headers = {"Host": origin.netloc, "User-Agent": "Quaestor", "Accept-Encoding": "identity", **call.headers}
    if call.content is not None:
        headers["Content-Length"] = str(len(call.content))
    if call.auth is not None:
        headers[call.auth.header] = call.auth.value()
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _body(response: httpcore.Response, call: Call) -> bytes:
    if 300 <= response.status < 400:
        return b""
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > call.body_limit:
            if call.is_cut:
                break
            raise TooMuch
    return bytes(body[: call.body_limit])


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked against certifi's authorities, or an operator's own (SSL_CERT_FILE)."""
    return httpx.create_ssl_context()
