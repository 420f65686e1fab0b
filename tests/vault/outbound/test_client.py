"""The way out to providers (K2, K3)."""

import socket
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, ip_address
from traceback import TracebackException

import pytest
from pytest_django import Settings

from tests.vault.outbound.servers import allow, answering, dripping, serving
from tests.vault.outbound.test_addresses import HOSTS_INSIDE, PUBLIC, resolving
from vault.crypto.secret import Secret
from vault.errors import AddressNotAllowed, ProviderUnreachable, Unanswered
from vault.outbound.calls import Answer, Auth, Call
from vault.outbound.client import send
from vault.outbound.networks import Address
from vault.outbound.resolving import addresses_of

pytestmark = pytest.mark.django_db
KEY = "sk-canary-7f3a9c51e2d84b06"


def call(url: str, *, limit: int = 1000) -> Call:
    return Call("GET", url, {"Accept": "application/json"}, Auth("Authorization", Secret(KEY), "Bearer"), limit)


def test_an_answer_comes_back_whole() -> None:
    """Status, body, headers in lower case; the key was in its header, and no encoding was asked for (K2)."""
    with serving(answering(429, '{"a": 1}', Retry_After="7")) as server:
        answer = send(call(f"{server.url}/v1/models?limit=1"), tenant_supplied=False)
    assert answer == Answer(429, b'{"a": 1}', {"content-length": "8", "retry-after": "7"})
    line, *headers = server.asked[0].split("\r\n")
    assert line == "GET /v1/models?limit=1 HTTP/1.1"
    assert set(headers) >= {f"Authorization: Bearer {KEY}", f"Host: 127.0.0.1:{server.port}", "User-Agent: Quaestor"}
    assert "Accept-Encoding: identity" in headers


def test_no_proxy_of_the_environment_sees_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would learn the key (K2)."""
    with serving(answering(200, "{}")) as server, serving(answering(200, "proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(call(server.url), tenant_supplied=False).body == b"{}"
    assert proxy.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """To a tenant's address it is a way around the guard; to ours it says that something is wrong (K3)."""
    with serving(answering(200, "{}")) as inside, serving(answering(status, "", Location=inside.url)) as server:
        allow("127.0.0.1", server.port)
        with pytest.raises(AddressNotAllowed, match="another address"):
            send(call(server.url), tenant_supplied=True)
        with pytest.raises(ProviderUnreachable, match="another address"):
            send(call(server.url), tenant_supplied=False)
    assert inside.asked == []


def test_ssrf_by_redirect_dns_or_ipv6() -> None:
    """No spelling of an address inside, no name that leads there and no redirect has us connect to it (K3)."""
    with serving(answering(200, "{}")) as inside, serving(answering(302, "", Location=inside.url)) as outside:
        for host in HOSTS_INSIDE:
            with pytest.raises(AddressNotAllowed):
                send(call(f"https://{host}:{inside.port}"), tenant_supplied=True, resolve=PUBLIC)
        for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "169.254.169.254"):
            with pytest.raises(AddressNotAllowed, match="public internet"):
                send(
                    call(f"https://models.example.com:{inside.port}"),
                    tenant_supplied=True,
                    resolve=resolving("93.184.215.14", address),
                )
        with pytest.raises(AddressNotAllowed, match="https"):
            send(call(inside.url), tenant_supplied=True)
        allow("127.0.0.1", outside.port)
        with pytest.raises(AddressNotAllowed, match="another address"):
            send(call(outside.url), tenant_supplied=True)
    assert inside.asked == []


def test_a_name_is_resolved_once_and_the_call_goes_there() -> None:
    """A name that leads elsewhere a moment later (DNS rebinding) changes nothing; the Host header keeps it (K3)."""
    asked: list[str] = []

    def resolve(host: str, port: int, seconds: float) -> Sequence[Address]:
        asked.append(host)
        return [IPv4Address("127.0.0.1") if len(asked) == 1 else IPv4Address("127.9.9.9")]

    with serving(answering(200, "{}")) as server:
        allow("models.example.com", server.port)
        send(call(f"http://models.example.com:{server.port}"), tenant_supplied=True, resolve=resolve)
    assert asked == ["models.example.com"]
    assert f"Host: models.example.com:{server.port}" in server.asked[0]


def test_an_address_that_does_not_answer_gives_way_to_the_next() -> None:
    """The host may have several (K2)."""
    with serving(answering(200, "{}")) as server:
        url, several = f"http://models.example.com:{server.port}", resolving("127.0.0.9", "127.0.0.1")
        assert send(call(url), tenant_supplied=False, resolve=several).status == 200


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_all_of_an_answer_has_one_deadline(first: bytes, drop: bytes, settings: Settings) -> None:
    """Silence, and headers or a body in drops that each come in time (K2)."""
    settings.PROVIDER_TIMEOUT_SECONDS = 1
    with serving(dripping(first, drop)) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnreachable, match="within 1 seconds"):
            send(call(server.url), tenant_supplied=False)
    assert 0.9 < time.monotonic() - began < 2


def test_resolving_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver may take half a minute (K2)."""
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(2) or [])
    began = time.monotonic()
    with pytest.raises(Unanswered, match="No address"):
        addresses_of("models.example.com", 443, 0.1)
    assert time.monotonic() - began < 1


def test_the_systems_resolver() -> None:
    """Names, addresses and what is neither (K3)."""
    assert ip_address("127.0.0.1") in addresses_of("localhost", 443, 5)
    assert addresses_of("::1", 443, 5) == [ip_address("::1")]
    for nothing in ("no-such-host.invalid", "a" * 64 + ".example.com"):
        with pytest.raises(Unanswered):
            addresses_of(nothing, 443, 5)


@pytest.mark.parametrize(
    "whole",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
    ],
)
def test_a_long_answer_is_not_read_to_its_end(whole: bytes) -> None:
    """Bodies beyond the limit of the call, and what surrounds them (K2)."""
    with serving(lambda caller: caller.sendall(whole)) as server, pytest.raises(ProviderUnreachable, match="more than"):
        send(call(server.url), tenant_supplied=False)


@pytest.mark.parametrize(
    "whole",
    [
        b"",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 99999 Odd\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_a_failed_connection(whole: bytes) -> None:
    """The sentence is ours; no exception of a library is behind it, whose text or frames hold the key (K2)."""
    with serving(lambda caller: caller.sendall(whole)) as server, pytest.raises(ProviderUnreachable) as caught:
        send(call(f"{server.url}/path"), tenant_supplied=False)
    assert caught.value.reason == "The connection to the provider failed."
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_key_that_is_no_header_fails_without_being_quoted() -> None:
    """The library's own message would quote it (K2)."""
    broken = Call("GET", "http://127.0.0.1:1", {}, Auth("Authorization", Secret(f"{KEY}\r\nX: 1"), "Bearer"))
    with serving(answering(200, "{}")) as server, pytest.raises(ProviderUnreachable) as caught:
        send(Call("GET", server.url, {}, broken.auth), tenant_supplied=False)
    assert KEY not in f"{caught.value!r}{caught.value.__context__!r}{broken!r}"
    assert server.asked in ([], [""])


def test_no_traceback_of_a_failure_shows_the_key() -> None:
    """Not even one that prints the variables of every frame, as error reports do (K2)."""
    with serving(answering(401, f"No {KEY}")) as server, pytest.raises(ProviderUnreachable) as caught:
        send(call(f"{server.url}/v1", limit=5), tenant_supplied=False)
    report = "".join(TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "tenant_supplied = False" in report
    assert KEY not in report


def test_nobody_listens() -> None:
    """A closed port (K2)."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ProviderUnreachable, match="connection to the provider failed"):
        send(call(f"http://127.0.0.1:{port}"), tenant_supplied=False)
