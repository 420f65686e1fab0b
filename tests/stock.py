"""The shipped catalogues and price list in a test's database: loaded once a process, then copied as bytes.

Loading takes a second or two, copying some milliseconds. Plan versions arrive as drafts and are published last, as the
triggers want it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg
from django.db import connection, models, transaction
from psycopg import sql

from billing.plans.catalogue_file import shipped_catalogues
from billing.plans.models import Entitlement, MeterPrice, Model, ModelPrice, Plan, PlanPrice, PlanVersion
from billing.plans.price_list_file import shipped_price_list
from billing.plans.services.load_catalogue import load_catalogue
from billing.plans.services.load_price_list import load_price_list

STOCKED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_TABLES: tuple[type[models.Model], ...] = (
    Plan,
    PlanVersion,
    PlanPrice,
    Entitlement,
    MeterPrice,
    Model,
    ModelPrice,
)
Stock = Mapping[type[models.Model], bytes]


def take_stock() -> Stock:
    """Load what is shipped, keep a copy of the rows and undo the loading."""
    with transaction.atomic():
        for catalogue in shipped_catalogues():
            load_catalogue(catalogue=catalogue, at=STOCKED_AT)
        load_price_list(price_list=shipped_price_list(), at=STOCKED_AT)
        stock = {table: _copy_out(table) for table in _TABLES}
        transaction.set_rollback(True)
    return stock


def put_stock(stock: Stock) -> None:
    """Put the rows into the present database."""
    with transaction.atomic():
        for table, rows in stock.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(_name(table), _columns(table))
            with _cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(rows)
        PlanVersion.objects.update(state=PlanVersion.State.PUBLISHED)


def _copy_out(table: type[models.Model]) -> bytes:
    values = sql.SQL(", ").join(
        sql.SQL("'draft'") if table is PlanVersion and column == "state" else sql.Identifier(column)
        for column in _column_names(table)
    )
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(values, _name(table))
    with _cursor() as cursor, cursor.copy(statement) as copy:
        return b"".join(copy)


def _column_names(table: type[models.Model]) -> list[str]:
    # Numbers from a sequence are left to the sequence: an explicit one would be given out a second time.
    return [field.column for field in table._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _columns(table: type[models.Model]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, _column_names(table)))


def _name(table: type[models.Model]) -> sql.Identifier:
    return sql.Identifier(table._meta.db_table)


def _cursor() -> psycopg.Cursor:
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)
