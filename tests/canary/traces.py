"""Everything that the product leaves behind, as text to be searched."""

import io
import logging
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponseBase
from structlog.stdlib import ProcessorFormatter

from sandbox.cluster import program
from sandbox.valkey import Valkey
from tests.canary.search import Canary, leaks


class Traces:
    """Texts by the place that they were found in."""

    def __init__(self) -> None:
        self._texts: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, place: str, text: str | bytes) -> None:
        self._texts[place].append(text.decode("latin-1") if isinstance(text, bytes) else text)

    def keep(self, place: str, response: Any) -> Any:
        """The answer itself, with its headers and cookies kept."""
        assert isinstance(response, HttpResponseBase)
        body = b"".join(response) if response.streaming else response.content
        head = "\n".join(f"{name}: {value}" for name, value in response.items())
        self.add(f"{place}: {response.status_code}", f"{head}\n{response.cookies.output()}\n{body.decode()}")
        return response

    def places(self) -> list[str]:
        return sorted(self._texts)

    def size(self, place: str) -> int:
        return sum(map(len, self._texts[place]))

    def leaks(self, canaries: Iterable[Canary]) -> list[str]:
        """Each place with what was found there."""
        known = list(canaries)
        return sorted(
            {f"{place}: {leak}" for place, texts in self._texts.items() for leak in leaks("\n".join(texts), known)}
        )


@contextmanager
def logs_into(traces: Traces) -> Iterator[None]:
    """All that is logged, down to the lowest level, as the product's own formatter and the usual one write it."""
    root = logging.getLogger()
    ours = next(one.formatter for one in root.handlers if isinstance(one.formatter, ProcessorFormatter))
    streams = {"log as JSON": ours, "log as text": logging.Formatter("%(message)s %(args)s")}
    handlers = []
    for formatter in streams.values():
        handler = logging.StreamHandler(io.StringIO())
        handler.setFormatter(formatter)
        handlers.append(handler)
        root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(level)
        for place, handler in zip(streams, handlers, strict=True):
            root.removeHandler(handler)
            traces.add(place, handler.stream.getvalue())


def keep_mails(traces: Traces, mails: Iterable[EmailMessage]) -> None:
    """Subjects and bodies, before they are encoded for their way."""
    for mail in mails:
        traces.add("e-mail", f"{mail.subject}\n{mail.to}\n{mail.body}")
        if isinstance(mail, EmailMultiAlternatives):
            for alternative in mail.alternatives:
                traces.add("e-mail as HTML", str(alternative[0]))


def keep_sessions(traces: Traces) -> None:
    """As they are stored, and unpacked."""
    for session in Session.objects.all():
        traces.add("sessions", f"{session.session_data}\n{session.get_decoded()!r}")


def keep_valkey(traces: Traces, valkey: Valkey) -> None:
    """Every key of every database: Celery's queues and the cache."""
    path = valkey.cache_url.partition("?")[0]
    for number in range(2):
        client = redis.Redis.from_url(f"{path}?db={number}")
        place = ("Celery's queues", "cache")[number]
        for name in client.scan_iter():
            traces.add(place, name)
            for value in _values(client, name):
                traces.add(place, value)
        client.close()


def _values(client: Any, name: bytes) -> list[bytes]:
    match client.type(name):
        case b"list":
            found: list[bytes] = client.lrange(name, 0, -1)
        case b"hash":
            found = client.hvals(name)
        case b"set":
            found = list(client.smembers(name))
        case b"zset":
            found = client.zrange(name, 0, -1)
        case _:
            found = [client.get(name)]
    return found


def keep_dumps(traces: Traces) -> None:
    """The whole database: by Django's dumpdata, and by PostgreSQL's own."""
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    traces.add("dumpdata", dump.getvalue())
    connection.ensure_connection()
    target = connection.connection.info.dsn
    done = subprocess.run([str(program("pg_dump")), f"--dbname={target}"], capture_output=True, check=True)
    traces.add("pg_dump", done.stdout)
