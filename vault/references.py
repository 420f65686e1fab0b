"""Which tables hang on keys of keys. Rotation visits those it knows; another one would lose what it keeps (K8).

Asked of the models and of the database: a table may have no model, and a model no foreign key in the database.
"""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection

from vault.models import CredentialVersion, DataKey, KeyEncryptionKey, SealedText

VISITED = {
    DataKey._meta.db_table: {CredentialVersion._meta.db_table, SealedText._meta.db_table},
    KeyEncryptionKey._meta.db_table: {DataKey._meta.db_table},
}
"""What rotate_data_key encrypts anew, and what rewrap_data_keys wraps anew."""

_FOREIGN_KEYS = """
    SELECT k.confrelid::regclass::text, k.conrelid::regclass::text
      FROM pg_catalog.pg_constraint AS k
     WHERE k.contype = 'f' AND k.confrelid = ANY (%s::regclass[])
"""
# A column without a foreign key, named as ours are.
_NAMED_LIKE_IT = """
    SELECT CASE WHEN a.attname LIKE '%%data_key_id' THEN %s ELSE %s END, a.attrelid::regclass::text
      FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
     WHERE (a.attname LIKE '%%data_key_id' OR a.attname LIKE '%%kek_id') AND NOT a.attisdropped
       AND c.relkind IN ('r', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace)
"""


def unvisited_references() -> list[str]:
    """Findings, one a table that hangs on a key and that rotation does not know; empty if all is well."""
    found = {*_of_models(), *_of_database()}
    return [
        f"{table} hangs on {key}, and rotation does not visit it."
        for key, table in sorted(found)
        if table not in VISITED[key]
    ]


def _of_models() -> Iterator[tuple[str, str]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            related = field.remote_field.model if field.remote_field else None
            if isinstance(related, type) and related._meta.db_table in VISITED:
                yield related._meta.db_table, model._meta.db_table


def _of_database() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_KEYS, [list(VISITED)])
        yield from cursor.fetchall()
        cursor.execute(_NAMED_LIKE_IT, [DataKey._meta.db_table, KeyEncryptionKey._meta.db_table])
        yield from cursor.fetchall()
