"""A database for tests that commit: cloned from the template once a process, given its first rows again after a test.

A clone for each test would take up to a second, putting the rows back takes some hundredths.
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

TEMPLATE = "QUAESTOR_TEST_TEMPLATE"  # the template's name, from the controller of a parallel run to its workers

_TABLES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SEQUENCES = "SELECT format('%I.%I', schemaname, sequencename), start_value, last_value FROM pg_sequences"
# What a test that changes more than rows leaves another value of.
_MARK = """
SELECT array_agg((number, latest) ORDER BY place)::text FROM (
    SELECT 1 AS place, count(*) AS number, max(xmin::text::bigint) AS latest FROM pg_class
    UNION ALL SELECT 2, count(*), max(xmin::text::bigint) FROM pg_proc
    UNION ALL SELECT 3, count(*), max(xmin::text::bigint) FROM pg_trigger
    UNION ALL SELECT 4, count(*), max(xmin::text::bigint) FROM pg_constraint
    UNION ALL SELECT 5, count(*), max(xmin::text::bigint) FROM pg_attrdef
    UNION ALL SELECT 6, count(*), max(setrole) FROM pg_db_role_setting, pg_database
        WHERE setdatabase = pg_database.oid AND datname = current_database()
) AS catalogs
"""
_CUT = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class OwnDatabase:
    """One at a time; `connected` is where tests are."""

    def __init__(self) -> None:
        self._name = ""
        self._mark: Any = None
        self._rows: Mapping[str, bytes] = {}
        self._emptying = self._numbering = sql.Composed([])

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Django speaks to the database, in which only the migrations' own rows are."""
        if not self._name:
            self._make()
        usual = connections["default"].settings_dict
        name = usual["NAME"]
        connections["default"].close()
        usual["NAME"] = self._name
        try:
            yield
        finally:
            connections["default"].close()
            usual["NAME"] = name
            if not self._restored():
                self.drop()

    def drop(self) -> None:
        """The next test gets a new clone."""
        if self._name:
            administer(os.environ["DATABASE_URL"], _command("DROP DATABASE {} WITH (FORCE)", self._name))
            self._name = ""

    def _make(self) -> None:
        name = f"quaestor_own_{secrets.token_hex(4)}"
        create = _command("CREATE DATABASE {} TEMPLATE {}", name, os.environ[TEMPLATE])
        administer(os.environ["DATABASE_URL"], create)
        self._name = name
        with self._connect() as connection:
            tables = [table for (table,) in connection.execute(_TABLES)]
            copies = {table: _copy_out(connection, table) for table in tables}
            self._rows = {table: rows for table, rows in copies.items() if rows}
            self._emptying = sql.SQL("; ").join(sql.SQL(f"DELETE FROM {table}") for table in tables)
            self._numbering = sql.SQL("; ").join(
                sql.SQL("SELECT setval({}, {}, {})").format(sequence, start if last is None else last, last is not None)
                for sequence, start, last in connection.execute(_SEQUENCES)
            )
            self._mark = self._read_mark(connection)

    def _restored(self) -> bool:
        """Give the database its first rows; no where the test changed more than rows, or may not do this."""
        try:
            with self._connect() as connection:
                connection.execute(_CUT)
                if self._read_mark(connection) != self._mark:
                    return False
                connection.execute("SET session_replication_role = replica")  # no triggers, foreign keys in any order
                with connection.transaction():
                    self._put_back(connection)
        except psycopg.Error:
            return False
        return True

    def _put_back(self, connection: psycopg.Connection) -> None:
        connection.execute(self._emptying)
        for table, rows in self._rows.items():
            with connection.cursor() as cursor, cursor.copy(sql.SQL(f"COPY {table} FROM STDIN")) as copy:
                copy.write(rows)
        connection.execute(self._numbering)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(with_database(os.environ["DATABASE_URL"], self._name), autocommit=True)

    @staticmethod
    def _read_mark(connection: psycopg.Connection) -> Any:
        return connection.execute(_MARK).fetchone()


def administer(url: str, statement: sql.Composed) -> None:
    """Run a statement that belongs to no database of ours."""
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(statement)


def with_database(url: str, name: str) -> str:
    """The same server's URL with another database."""
    server, _, rest = url.rpartition("/")
    _, question, query = rest.partition("?")
    return f"{server}/{name}{question}{query}"


def _command(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))


def _copy_out(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(sql.SQL(f"COPY {table} TO STDOUT")) as copy:
        return b"".join(copy)
