"""dj-stripe's migrations for an empty database: what the second and third take away is not made in the first place.

They remove some five hundred fields one by one, and Django builds all of dj-stripe's models anew for each: half a
minute of every test run. `test_folded` shows that the outcome is the same.
"""

from importlib import import_module

from django.db.migrations import (
    AddField,
    AlterModelOptions,
    AlterUniqueTogether,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveField,
)
from django.db.migrations.operations.base import Operation

NAMES = ("0001_initial", "0002_2_10", "0003_2_11")


def shipped(name: str) -> type[Migration]:
    """The migration as dj-stripe has it."""
    found: type[Migration] = import_module(f"djstripe.migrations.{name}").Migration
    return found


def folded() -> list[Operation]:
    """What all three do, without the models and fields that are gone at the end."""
    operations = [operation for name in NAMES for operation in shipped(name).operations]
    models = {one.name_lower for one in operations if isinstance(one, DeleteModel)}
    fields = {(one.model_name_lower, one.name_lower) for one in operations if isinstance(one, RemoveField)}
    return [kept for one in operations if (kept := _kept(one, models, fields)) is not None]


def _kept(operation: Operation, models: set[str], fields: set[tuple[str, str]]) -> Operation | None:
    match operation:
        case CreateModel():
            return None if operation.name_lower in models else _without(operation, fields)
        case AddField():
            gone = operation.model_name_lower in models or (operation.model_name_lower, operation.name_lower) in fields
            return None if gone else operation
        case AlterModelOptions() | AlterUniqueTogether():
            return None if operation.name_lower in models else operation
        case DeleteModel() | RemoveField():
            return None
        case _:
            return operation


def _without(operation: CreateModel, fields: set[tuple[str, str]]) -> CreateModel:
    kept = [(name, field) for name, field in operation.fields if (operation.name_lower, name.lower()) not in fields]
    return CreateModel(operation.name, kept, operation.options, operation.bases, operation.managers)
