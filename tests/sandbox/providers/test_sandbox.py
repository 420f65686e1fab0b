"""The stand-in itself: its keys, its controls, its faults, its page."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.providers.faults import echo
from sandbox.providers.keybook import KeyBook
from sandbox.providers.keys import State
from sandbox.providers.process import ProvidersSandbox
from sandbox.providers.registry import PROVIDERS, valid_keys
from tests.sandbox.providers.conftest import Ask

CHECK = "/groq/openai/v1/models"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_keys_are_the_same_at_every_start(sandbox: ProvidersSandbox) -> None:
    keys = sandbox.call("GET", "/_sandbox/keys")
    assert list(keys) == list(PROVIDERS)
    assert all(list(states) == list(State) for states in keys.values())
    keyed = {provider: states["valid"] for provider, states in keys.items() if provider != "ollama"}
    assert keyed == valid_keys()
    every_key = [key for states in keys.values() for key in states.values()]
    assert len(set(every_key)) == len(every_key) == 17 * 8
    assert len(sandbox.key("openai")) == 164


def test_a_key_can_change_its_state(sandbox: ProvidersSandbox, ask: Ask) -> None:
    sandbox.set_state("groq", "gsk_mine", "valid")
    assert ask(CHECK, bearer("gsk_mine")).status == 200
    sandbox.set_state("groq", sandbox.key("groq"), "invalid")
    assert ask(CHECK, bearer(sandbox.key("groq"))).status == 401
    sandbox.reset()
    assert ask(CHECK, bearer("gsk_mine")).status == 401
    assert ask(CHECK, bearer(sandbox.key("groq"))).status == 200


def test_registered_keys_outlive_the_process(tmp_path: Path) -> None:
    store = tmp_path / "keys.json"
    KeyBook(store).register("groq", "gsk_mine", State.RESTRICTED)
    assert store.stat().st_mode & 0o777 == 0o600
    assert KeyBook(store).state_of("groq", "gsk_mine") == State.RESTRICTED
    assert KeyBook().state_of("groq", "gsk_mine") is None


def test_an_unreachable_key_hangs_up(sandbox: ProvidersSandbox, ask: Ask) -> None:
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(CHECK, bearer(sandbox.key("groq", "unreachable")))


def test_a_slow_key_keeps_nobody_else_waiting(sandbox: ProvidersSandbox, ask: Ask) -> None:
    slow = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=0.3)
    slow.request("GET", CHECK, headers=bearer(sandbox.key("groq", "slow")))
    started = time.monotonic()
    assert ask(CHECK, bearer(sandbox.key("groq"))).status == 200
    assert time.monotonic() - started < 0.3
    with pytest.raises(TimeoutError):
        slow.getresponse()
    slow.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_echo_repeats_the_whole_key(provider: str) -> None:
    stand_in = PROVIDERS[provider]
    key = stand_in.key(State.ECHO)
    assert key in echo(stand_in, key).body.decode()


def test_faults_come_in_order_and_are_used_up(sandbox: ProvidersSandbox, ask: Ask) -> None:
    good = bearer(sandbox.key("groq"))
    sandbox.fault("status", provider="groq", status=503)
    sandbox.fault("redirect", provider="groq", location="http://10.0.0.1/")
    sandbox.fault("garbage", size=100)
    sandbox.fault("echo", provider="groq")
    sandbox.fault("status", provider="openai", times=2)
    sandbox.fault("slow", provider="groq", seconds=0.2)
    assert ask(CHECK, good).status == 503
    moved = ask(CHECK, good)
    assert (moved.status, moved.headers["location"]) == (302, "http://10.0.0.1/")
    assert len(ask(CHECK, good).body) == 100
    assert sandbox.key("groq") in ask(CHECK, good).body["error"]["message"]
    started = time.monotonic()
    assert ask(CHECK, good).status == 200
    assert time.monotonic() - started >= 0.2
    assert ask("/openai/v1/models", bearer(sandbox.key("openai"))).status == 500


@pytest.mark.parametrize(
    "order", [{"kind": "fire"}, {"kind": "slow", "seconds": -1}, {"kind": "slow", "provider": "x"}]
)
def test_a_senseless_order_is_refused(sandbox: ProvidersSandbox, order: dict[str, object]) -> None:
    with pytest.raises(SandboxError, match="400"):
        sandbox.call("POST", "/_sandbox/faults", order)


def test_calls_are_listed_without_keys(sandbox: ProvidersSandbox, ask: Ask) -> None:
    key = sandbox.key("groq")
    ask(f"{CHECK}?key={key}", bearer(key))
    assert sandbox.calls() == [
        {"provider": "groq", "method": "GET", "path": "/openai/v1/models", "key": key[-4:]},
    ]
    assert key not in json.dumps(sandbox.calls())


def test_many_may_ask_at_once(sandbox: ProvidersSandbox) -> None:
    def check(_number: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=20)
        connection.request("GET", CHECK, headers=bearer(sandbox.key("groq")))
        status = connection.getresponse().status
        connection.close()
        return status

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(check, range(60))) == {200}


def test_a_body_of_unknown_length_is_refused(sandbox: ProvidersSandbox) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as connection:
        connection.sendall(
            b"POST /openai/v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 411 ")


def test_the_page_lists_every_key(sandbox: ProvidersSandbox, ask: Ask) -> None:
    page = ask("/", {})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert all(
        provider.name in page.body and provider.key(State.INVALID) in page.body for provider in PROVIDERS.values()
    )
    assert f"http://127.0.0.1:{sandbox.port}/ollama" in page.body
    assert ask("/nobody/v1", {}).status == 404
    assert ask("/openai/v1/nothing", {}).body["error"]["code"] == "not_found"
