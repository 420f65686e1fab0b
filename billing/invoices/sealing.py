"""The seal of a document: a hash over all that it says, chained to the account's document before it (I1)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db.models import Model

from billing.core.money import format_amount
from billing.invoices.models import Invoice, InvoiceLine

_NOT_SEALED = frozenset({"content_hash"})


def seal_of(document: Invoice, lines: Sequence[InvoiceLine]) -> str:
    """The SHA-256, in hexadecimal digits, of a document's canonical content; the hash before it is part of it."""
    return sha256(canonical_content(document, lines)).hexdigest()


def canonical_content(document: Invoice, lines: Sequence[InvoiceLine]) -> bytes:
    """Every column of a document and its lines as JSON, names in order; amounts with nine decimals, times in UTC."""
    content = {
        "document": _columns(document),
        "lines": [_columns(line) for line in sorted(lines, key=lambda line: line.place)],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _columns(row: Model) -> dict[str, Any]:
    fields = [field for field in row._meta.concrete_fields if field.attname not in _NOT_SEALED]
    return {field.attname: _plain(field.to_python(getattr(row, field.attname))) for field in fields}


def _plain(value: Any) -> Any:
    """As it is before it is written and after it is read."""
    match value:
        case Decimal():
            return format_amount(value)
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case UUID():
            return value.hex
        case _:
            return value
