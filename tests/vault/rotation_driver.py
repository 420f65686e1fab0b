"""Processes that rotate keys of keys and are killed half-way, again and again, until one gets through.

`import tests.vault.rotation_driver` after `django.setup()`; it is not a test itself. The parent sets Django up once,
forks, watches how far its children are over a connection of its own, and kills; each child opens its own.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from io import StringIO

import psycopg
from django.core.management import call_command
from django.utils.timezone import now

_REWRAPPED = """
    SELECT count(*) FROM vault_datakey AS d JOIN vault_keyencryptionkey AS k ON k.id = d.kek_id WHERE k.state = 'active'
"""
_REPLACED = "SELECT count(*) FROM vault_datakey WHERE destroyed_at IS NOT NULL"


def rewrap_and_rotate(*, step: int, together: int) -> None:
    """Re-wrap all data keys, then replace them all; prints how often either was killed."""
    began = now().isoformat()
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as watcher:
        rewrap = _kill_half_way(watcher, _REWRAPPED, step, together, lambda: _run("rewrap_data_keys"))
        arguments = ["rotate_data_key", "--all", "--made-before", began]
        rotate = _kill_half_way(watcher, _REPLACED, step, together, lambda: _run(*arguments))
        print(rewrap, rotate)


def _kill_half_way(
    watcher: psycopg.Connection, progress: str, step: int, together: int, work: Callable[[], None]
) -> int:
    kills = 0
    while True:
        goal = _count(watcher, progress) + step
        children = [_fork(work) for _ in range(together)]
        while _count(watcher, progress) < goal:
            done, status = os.waitpid(-1, os.WNOHANG)
            if done:
                children.remove(done)
                assert status == 0
                _end(children)
                return kills
            time.sleep(0.002)
        _end(children)
        kills += 1


def _end(children: list[int]) -> None:
    for child in children:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _fork(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def _run(*arguments: str) -> None:
    call_command(*arguments, stdout=StringIO())


def _count(watcher: psycopg.Connection, query: str) -> int:
    row = watcher.execute(query).fetchone()
    assert row is not None
    return int(row[0])
