"""GET /v1/usage/export from a real server process: streamed, and given up where nobody reads on."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from sandbox.configuration import Backends, RunSettings, django_environment
from sandbox.programs import answers_ready, web_server
from sandbox.sockets import LOOPBACK
from tests.make import AT, Customer, make_customer
from tests.money_make import event, report

pytestmark = pytest.mark.usefixtures("own_database")
EVENTS = 40_000  # about thirty megabytes: more than sockets and the server's own queues hold
_COPIES = """
    INSERT INTO billing_usage_usageevent
    SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', number::text))).*
      FROM billing_usage_usageevent AS e, generate_series(2, %s) AS number
"""


@pytest.fixture
def customer() -> Customer:
    """Somebody with thousands of events alike."""
    customer = make_customer(balance="100")
    report(customer, event("1", agent="a" * 100, office="o" * 100, session="s" * 100, user="u" * 100))
    with connection.cursor() as cursor:
        cursor.execute(_COPIES, [EVENTS])
    return customer


@pytest.fixture
def port(tmp_path: Path, own_database: None) -> Iterator[int]:
    """A web server on the test's database."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        settings = RunSettings(probe.getsockname()[1], tmp_path, None, None)
    url = make_url(connection.settings_dict)
    environment = django_environment(settings, Backends(url, "redis://127.0.0.1:1/0", ""), secret_key="for-a-test-" * 5)
    server = web_server(settings, environment)
    server.start()
    try:
        deadline = time.monotonic() + 120
        while not answers_ready(settings.port):
            assert time.monotonic() < deadline, "The web server does not answer."
            time.sleep(0.1)
        yield settings.port
    finally:
        server.stop()


def make_url(given: dict[str, Any]) -> str:
    """Where the present database is; its server listens on a socket."""
    return f"postgresql://{given['USER']}@/{given['NAME']}?host={quote(given['OPTIONS']['host'], safe='')}"


def test_client_that_hangs_up_and_one_that_reads_on(customer: Customer, port: int) -> None:
    """U5: where nobody reads on, the statement ends and its thread and connection serve other calls; a whole export
    comes in chunks, without a length, with every event once.
    """
    path = f"/v1/usage/export?format=jsonl&period={AT:%Y-%m-%dT%H:%M:%SZ}"
    key = customer.key.header["Authorization"]
    for _ in range(10):  # more than the server has threads
        with socket.create_connection((LOOPBACK, port)) as leaving:
            leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nAuthorization: {key}\r\n\r\n".encode())
            assert leaving.recv(1000).startswith(b"HTTP/1.1 200")
    deadline = time.monotonic() + 60
    while copying() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert copying() == 0
    with closing(http.client.HTTPConnection(LOOPBACK, port, timeout=60)) as client:
        client.request("GET", path, headers=customer.key.header)
        answer = client.getresponse()
        assert (answer.status, answer.headers["Transfer-Encoding"]) == (200, "chunked")
        lines = [json.loads(line) for line in answer]
    assert len({line["idempotency_key"] for line in lines}) == len(lines) == EVENTS


def copying() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'")
        return int(cursor.fetchone()[0])
