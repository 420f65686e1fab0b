"""The one way out to providers: no redirects, no proxies, no more time or bytes than agreed, no word of the key."""

import ssl
import time
from collections.abc import Sequence
from functools import cache

import httpcore
import httpx
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from vault.errors import AddressNotAllowed, ProviderUnreachable
from vault.outbound.addresses import Origin, is_exempt, origin_of, require_public, require_public_form, resolved
from vault.outbound.calls import Answer, Call
from vault.outbound.connecting import Budget, Pinned, TooMuch
from vault.outbound.networks import Address
from vault.outbound.resolving import Resolve, addresses_of

_HEADERS_LIMIT = 128 * 1024
_FRAMING = 4  # how much longer a body may be on the wire, in small chunks


def send(call: Call, *, tenant_supplied: bool, resolve: Resolve = addresses_of) -> Answer:
    """Make the call. Raises AddressNotAllowed, ProviderUnreachable; neither holds the key, the address or an answer.

    `tenant_supplied`: the address is a tenant's word, so that it has to be public or allowed by staff, now, in all its
    addresses, and a redirect is a way around that. Addresses of ours and the operator's are not checked.
    """
    ends = time.monotonic() + settings.PROVIDER_TIMEOUT_SECONDS
    origin = origin_of(call.url)
    guarded = tenant_supplied and not is_exempt(origin)
    if guarded:
        require_public_form(origin)
    addresses = resolved(origin, resolve, ends - time.monotonic())
    if guarded:
        require_public(addresses)
    answer = _exchange(call, origin, addresses, seconds=ends - time.monotonic())
    if isinstance(answer, str):
        raise ProviderUnreachable(answer)
    if 300 <= answer.status < 400:
        if tenant_supplied:
            raise AddressNotAllowed("The base URL sends callers on to another address; enter that one.")
        raise ProviderUnreachable("The provider sends callers on to another address.")
    return answer


@sensitive_variables()
def _exchange(call: Call, origin: Origin, addresses: Sequence[Address], *, seconds: float) -> Answer | str:
    """The answer, or a sentence of ours on why there is none: exceptions of the libraries quote what was sent."""
    budget = Budget(seconds=seconds, size=call.body_limit * _FRAMING + _HEADERS_LIMIT)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=Pinned(addresses, budget)) as pool,
            pool.stream(call.method, call.url, headers=_headers(call, origin)) as response,
        ):
            return Answer(response.status, _body(response, call.body_limit), _read_headers(response))
    except TooMuch:
        return "The provider answered with more than is read."
    except httpcore.TimeoutException:
        return f"The provider did not answer within {settings.PROVIDER_TIMEOUT_SECONDS} seconds."
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol):
        return "The connection to the provider failed."


@sensitive_variables()
def _headers(call: Call, origin: Origin) -> list[tuple[bytes, bytes]]:
    """No content encoding is asked for: it would have to be undone, by whatever it grows."""
    headers = {"Host": origin.netloc, "User-Agent": "Quaestor", "Accept-Encoding": "identity", **call.headers}
    if call.auth is not None:
        headers[call.auth.header] = call.auth.value()
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _body(response: httpcore.Response, limit: int) -> bytes:
    if 300 <= response.status < 400:
        return b""
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > limit:
            raise TooMuch
    return bytes(body)


def _read_headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked against certifi's authorities, or an operator's own (SSL_CERT_FILE)."""
    return httpx.create_ssl_context()
