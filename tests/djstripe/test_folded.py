"""The tests' short way through dj-stripe's migrations leads where the long one does."""

from collections.abc import Iterable
from pkgutil import iter_modules

from django.db.migrations import Migration
from django.db.migrations.state import ProjectState
from djstripe import migrations

from tests.djstripe.folded import NAMES, folded, shipped


def state_after(history: Iterable[Migration]) -> ProjectState:
    state = ProjectState()
    for migration in history:
        migration.mutate_state(state, preserve=False)
    return state


def test_folded_migrations_end_where_the_shipped_ones_do() -> None:
    """The same models with the same fields, options and bases."""
    short = Migration("short", "djstripe")
    short.operations = folded()
    wanted = state_after(shipped(name)(name, "djstripe") for name in NAMES)
    assert wanted.models
    assert state_after([short]).models == wanted.models


def test_no_shipped_migration_is_left_out() -> None:
    """A release with another one needs it among ours."""
    assert sorted(module.name for module in iter_modules(migrations.__path__)) == list(NAMES)
