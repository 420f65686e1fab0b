"""The stand-in alone, spoken to as its clients do."""

import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import pytest

from sandbox.providers.process import ProvidersSandbox


class Reply(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


class Ask(Protocol):
    def __call__(self, path: str, headers: dict[str, str], body: object = None) -> Reply: ...


@pytest.fixture
def sandbox(providers_process: ProvidersSandbox) -> ProvidersSandbox:
    providers_process.reset()
    return providers_process


@pytest.fixture
def ask(sandbox: ProvidersSandbox) -> Iterator[Ask]:
    """One connection, kept alive: POST with a body, else GET. A body that is no JSON is answered as text."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)

    def request(path: str, headers: dict[str, str], body: object = None) -> Reply:
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        try:
            found = json.loads(text)
        except ValueError:
            found = text
        return Reply(answer.status, found, {name.lower(): value for name, value in answer.getheaders()})

    yield request
    connection.close()
