"""The embedded PostgreSQL of the demo and the tests: any user, any folder, any way to end."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import psycopg
import pytest

from sandbox.errors import SandboxError
from sandbox.postgres import Postgres
from sandbox.privileges import Account, command_prefix

PROJECT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0
NOBODY = Account(65534, 65534)
START = """
import sys, pathlib
from sandbox.postgres import Postgres
server = Postgres(pathlib.Path(sys.argv[1]), durable=False)
server.start()
print(server.url, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of mode 0700 that belongs to whoever runs the tests: another user cannot walk into it."""
    with tempfile.TemporaryDirectory(prefix="quaestor-test-") as path:
        yield Path(path)


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def start_elsewhere(folder: Path, *, prefix: Sequence[str] = ()) -> tuple[subprocess.Popen[str], str]:
    """A server whose starter is another process; its URL once it answers."""
    command = [*prefix, sys.executable, "-c", START, str(folder)]
    starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert starter.stdout is not None
    return starter, starter.stdout.readline().strip()


def test_state_survives_a_restart_and_parent_modes_stay(folder: Path) -> None:
    with Postgres(folder / "home") as server:
        execute(server.url, "CREATE TABLE kept (value int)")
        assert execute(server.url, "SHOW fsync") == [("on",)]
        assert execute(server.url, "SHOW server_encoding") == [("UTF8",)]
        assert execute(server.url, "SHOW listen_addresses") == [("",)]
    with Postgres(folder / "home") as server:
        assert execute(server.url, "SELECT count(*) FROM kept") == [(0,)]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.geteuid()


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    long = folder / ("x" * 120)
    with Postgres(long, durable=False) as server:
        assert execute(server.url, "SELECT 1") == [(1,)]
        socket_folder = Path(str(execute(server.url, "SHOW unix_socket_directories")[0][0]).strip('"'))
        assert len(bytes(socket_folder / ".s.PGSQL.5432")) <= 107
    assert not socket_folder.exists()


def test_a_second_starter_is_told_who_holds_the_folder(folder: Path) -> None:
    with Postgres(folder, durable=False), pytest.raises(SandboxError, match=f"in use by process {os.getpid()}"):
        Postgres(folder, durable=False).start()


def test_recovers_after_a_killed_server_and_a_reused_process_id(folder: Path) -> None:
    with Postgres(folder) as server:
        execute(server.url, "CREATE TABLE kept (value int)")
        pid_file = folder / "data" / "postmaster.pid"
        pid = int(pid_file.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        psutil.Process(pid).wait(5)
    pid_file.write_text(f"{os.getpid()}\n{folder / 'data'}\n")
    with Postgres(folder) as server:
        assert execute(server.url, "SELECT count(*) FROM kept") == [(0,)]


def test_a_killed_starter_leaves_no_server_in_the_way(folder: Path) -> None:
    starter, url = start_elsewhere(folder)
    execute(url, "CREATE TABLE kept (value int)")
    starter.kill()
    starter.communicate()
    with Postgres(folder, durable=False) as server:
        assert execute(server.url, "SELECT count(*) FROM kept") == [(0,)]


@pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
def test_starts_as_an_ordinary_user_whose_state_root_can_take_over(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY.uid, NOBODY.gid)
    prefix = command_prefix(NOBODY, program=Path(sys.executable).resolve(), folders=[home])
    starter, url = start_elsewhere(home, prefix=prefix)
    execute(url, "CREATE TABLE kept (value int)")
    starter.communicate("")
    assert starter.returncode == 0
    with Postgres(home, durable=False) as server:
        assert execute(server.url, "SELECT count(*) FROM kept") == [(0,)]


def test_data_of_another_major_version_is_refused(folder: Path) -> None:
    (folder / "data").mkdir(parents=True)
    if AS_ROOT:
        os.chown(folder / "data", NOBODY.uid, NOBODY.gid)
    (folder / "data" / "PG_VERSION").write_text("15\n")
    with pytest.raises(SandboxError, match="PostgreSQL 15"):
        Postgres(folder).start()


def test_the_end_of_the_log_is_shown_when_the_server_cannot_start(folder: Path) -> None:
    with Postgres(folder, durable=False):
        pass
    (folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(SandboxError, match="no_such_setting"):
        Postgres(folder, durable=False).start()
