"""What tests of committed data need."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from billing.plans.queries import clear_price_book


@pytest.fixture(scope="session", autouse=True)
def flush_past_triggers() -> Iterator[None]:
    """Let Django empty the tables after a test that commits, though triggers refuse TRUNCATE to everybody else."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_without_triggers(self: DatabaseOperations, sql_list: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            flush(self, sql_list)
            cursor.execute("RESET session_replication_role")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_without_triggers)
        yield


@pytest.fixture(autouse=True)
def fresh_price_book() -> Iterator[None]:
    """No test sees the prices of another."""
    clear_price_book()
    yield
    clear_price_book()
