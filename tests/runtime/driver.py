"""Processes that start runs, settle most of them and report usage, saying what was answered, until they are killed.

`import tests.runtime.driver` after `django.setup()`; it is not a test itself. The parent sets Django up once, forks and
kills; each child opens a connection of its own.
"""

import os
import random
import signal
import time
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

from django.utils.timezone import now

from tenants.models import ApiKey
from tenants.queries import find_caller
from tests.money_make import event, finish, report, start


def fork_and_kill(key_id: str, *, rounds: int, together: int) -> None:
    """In each round let some children work for a moment and kill them, whatever they are at.

    The moment begins with the first answer, however long a busy machine takes to get there.
    """
    for round_ in range(rounds):
        reader, writer = os.pipe()
        children = []
        for number in range(together):
            child = os.fork()
            if child == 0:
                drive(key_id, f"r{round_}c{number}", writer)
            children.append(child)
        os.read(reader, 1)
        time.sleep(random.uniform(0.3, 0.7))
        os.close(reader)
        os.close(writer)
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def drive(key_id: str, name: str, at_work: int) -> None:
    caller = find_caller(bytes(ApiKey.objects.get(id=key_id).digest))
    customer = cast("Any", SimpleNamespace(key=SimpleNamespace(caller=caller)))
    for number in count():
        run = start(customer, idempotency_key=f"{name}-{number}", at=now())
        say("run", run.id)
        if number == 0:
            os.write(at_work, b"1")
        if number % 3:
            say("event", finish(customer, run, at=now()).event_id)
        for result in report(customer, *[event(f"{name}-{number}-{part}") for part in range(5)], at=now()):
            say("event", str(result.event_id))


def say(kind: str, public_id: str) -> None:
    os.write(1, f"{kind} {public_id}\n".encode())  # in one piece, between those of the others
