"""Objects as JSON in SQLite, by kind (their `object` field) and id, in the order in which they were made."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.stripe.errors import missing
from sandbox.stripe.values import Json

MEMORY = ":memory:"
TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    position INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS objects_id ON objects (id);
CREATE INDEX IF NOT EXISTS objects_customer ON objects (kind, json_extract(body, '$.customer'));
CREATE TABLE IF NOT EXISTS deliveries (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, event TEXT NOT NULL, endpoint TEXT NOT NULL,
    due REAL NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (state, due);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS objects_due ON objects (kind, json_extract(body, '$._due'))
    WHERE json_extract(body, '$._due') IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_attempt ON objects (kind, json_extract(body, '$.next_payment_attempt'))
    WHERE json_extract(body, '$.next_payment_attempt') IS NOT NULL;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """Every reader gets a copy of its own: nothing changes before `put`. Guarded by the state's lock."""

    def __init__(self, path: Path | str = MEMORY) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(TABLES)
        self._mark: sqlite3.Connection | None = None

    def get(self, kind: str, object_id: str, param: str = "id") -> Json:
        """The object, or the API's 404."""
        found = self.find(kind, object_id)
        if found is None:
            raise missing(kind, object_id, param)
        return found

    def find(self, kind: str, object_id: str) -> Json | None:
        return self._one("SELECT body FROM objects WHERE kind = ? AND id = ?", kind, object_id)

    def find_any(self, object_id: str) -> Json | None:
        """Whatever has this id, of any kind."""
        return self._one("SELECT body FROM objects WHERE id = ?", object_id)

    def put(self, kind: str, obj: Json) -> Json:
        """Write a new object or the new state of one; its place in the order stays."""
        self._connection.execute(
            "INSERT INTO objects (kind, id, body) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, obj["id"], json.dumps(obj, separators=(",", ":"))),
        )
        return obj

    def delete(self, kind: str, object_id: str) -> None:
        self._connection.execute("DELETE FROM objects WHERE kind = ? AND id = ?", (kind, object_id))

    def all(self, kind: str) -> list[Json]:
        """Every object of the kind, the newest first."""
        return self.where(kind)

    def where(self, kind: str, **fields: Any) -> list[Json]:
        """The objects whose top-level fields have these values (None: null or absent), the newest first."""
        conditions = "".join(f" AND json_extract(body, '$.{name}') IS ?" for name in fields)
        query = f"SELECT body FROM objects WHERE kind = ?{conditions} ORDER BY position DESC"
        rows = self._connection.execute(query, (kind, *fields.values()))
        return [json.loads(body) for (body,) in rows]

    def earliest(self, kind: str, by: str, **fields: Any) -> Json | None:
        """The object with the smallest value in a field, of those that have one and match; the oldest among equals."""
        conditions = "".join(f" AND json_extract(body, '$.{name}') IS ?" for name in fields)
        value = f"json_extract(body, '$.{by}')"
        query = f"SELECT body FROM objects WHERE kind = ?{conditions} AND {value} IS NOT NULL"
        return self._one(f"{query} ORDER BY {value}, position LIMIT 1", kind, *fields.values())

    def fact(self, name: str) -> Any:
        """A setting of the sandbox itself, None where it was never set."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def set_fact(self, name: str, value: Any) -> None:
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    def clear(self) -> None:
        """Forget everything."""
        self.run("DELETE FROM objects")
        self.run("DELETE FROM deliveries")
        self.run("DELETE FROM answers")
        self.run("DELETE FROM facts")

    def mark(self) -> None:
        """Remember everything as it is now, until the process ends. Not inside a transaction."""
        self._mark = self._mark or sqlite3.connect(MEMORY, check_same_thread=False)
        self._connection.backup(self._mark)

    def return_to_mark(self) -> bool:
        """Have everything as it was at the mark; whether there is one. Not inside a transaction."""
        if self._mark is not None:
            self._mark.backup(self._connection)
        return self._mark is not None

    def add_delivery(self, delivery_id: str, *, event: str, endpoint: str, due: float, state: str) -> None:
        """`due` is real time in unix seconds."""
        columns = "(id, event, endpoint, due, state)"
        self.run(f"INSERT INTO deliveries {columns} VALUES (?, ?, ?, ?, ?)", delivery_id, event, endpoint, due, state)

    def run(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """A statement on the tables that are no objects: deliveries and answers."""
        cursor = self._connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one, this part or nothing."""
        outer = not self._connection.in_transaction
        self._connection.execute("BEGIN" if outer else "SAVEPOINT part")
        try:
            yield
        except BaseException as error:
            if getattr(error, "keep", False):
                self._connection.execute("COMMIT" if outer else "RELEASE part")
            else:
                self._connection.execute("ROLLBACK" if outer else "ROLLBACK TO part")
                if not outer:
                    self._connection.execute("RELEASE part")
            raise
        self._connection.execute("COMMIT" if outer else "RELEASE part")

    def close(self) -> None:
        self._connection.close()

    def _one(self, query: str, *values: Any) -> Json | None:
        row = self._connection.execute(query, values).fetchone()
        found: Json | None = None if row is None else json.loads(row[0])
        return found
