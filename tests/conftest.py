"""The servers of a test run: one PostgreSQL with one migrated template for all workers, and a Valkey on request.

The template is migrated once and cloned by each worker: the same schema, triggers included, without each worker
paying for the migrations.
"""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import environ
import pytest
from django.conf import settings
from django.db import connections
from psycopg import sql
from pytest_django import DjangoDbBlocker, Settings

from billing.api.hot.key_cache import forget_callers
from billing.credits.services.open_ledger_account import platform_account
from billing.plans.queries import clear_price_book
from billing.stripe_sync.mirror import forget_own_account
from billing.stripe_sync.services.push_catalogue import push_catalogue
from billing.subscriptions import directory
from sandbox.providers.process import ProvidersSandbox
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from sandbox.temporary import temporary_database
from sandbox.valkey import Valkey
from tests.make import AT
from tests.own_database import TEMPLATE, OwnDatabase, administer, with_database
from tests.stock import Stock, put_stock, take_stock
from vault.data_keys import forget_data_keys
from vault.keks.local import create_local_key
from vault.models import KeyEncryptionKey
from vault.platform_keys import forget_platform_keys

PROJECT = Path(__file__).resolve().parent.parent
LONGEST = (
    "tests/faults/",
    "tests/canary/test_canary.py",
    "tests/stripe_sync/test_no_drift.py",
    "tests/browser/test_paying.py",
)
SERVERS = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    servers = ExitStack()
    config.stash[SERVERS] = servers
    config.add_cleanup(servers.close)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in random order, but the longest first: one that begins last leaves the other processes idle."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """In a parallel run the controller starts the server, before the workers inherit its environment."""
    provide_template(config.stash[SERVERS])


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """Point Django at the server, started now if no controller did; the test database becomes a clone."""
    provide_template(request.config.stash[SERVERS])
    given = environ.Env.db_url_config(os.environ["DATABASE_URL"])
    default = connections["default"].settings_dict
    default["OPTIONS"] |= given.pop("OPTIONS", {})
    default.update({key: value for key, value in given.items() if key != "ENGINE"})
    default["TEST"]["TEMPLATE"] = os.environ[TEMPLATE]


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A real broker and cache for the tests that ask for one."""
    with Valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_url(valkey: Valkey) -> str:
    """As redis-py and Django's cache take it; Celery takes `valkey.broker_url`."""
    return valkey.cache_url


@pytest.fixture(autouse=True)
def forget_other_tests() -> None:
    """Empty what a process remembers of its database: the last test's rows are gone."""
    forget_callers()
    platform_account.cache_clear()
    clear_price_book()
    directory.forget_everything()
    forget_platform_keys()
    forget_data_keys()


@pytest.fixture(scope="session")
def committing(django_db_setup: None) -> Iterator[OwnDatabase]:
    """Where tests commit. Tables that refuse TRUNCATE cannot be emptied pytest-django's way."""
    database = OwnDatabase()
    yield database
    database.drop()


@pytest.fixture(scope="session")
def stock(committing: OwnDatabase, django_db_blocker: DjangoDbBlocker) -> Stock:
    """The shipped catalogues and prices, ready to be copied into a database.

    Loaded where tests commit: pytest-django's database exists only where some test asks for it by name.
    """
    with django_db_blocker.unblock(), committing.connected():
        return take_stock()


@pytest.fixture
def catalogue(stock: Stock, db: None) -> None:
    """All shipped plans published, all models priced, for one test."""
    put_stock(stock)


@pytest.fixture
def own_database(committing: OwnDatabase, stock: Stock, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A database with nothing but the shipped catalogues in it: for tests that commit."""
    with django_db_blocker.unblock(), committing.connected():
        put_stock(stock)
        yield


@pytest.fixture(scope="session")
def stripe_process() -> Iterator[StripeSandbox]:
    """The stand-in for Stripe, one process a run."""
    with StripeSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def stripe(
    stripe_process: StripeSandbox,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[StripeSandbox]:
    """An empty Stripe that the product speaks to.

    A breach of Stripe's contract, by either side, fails the test, and so does an object that could not be copied.
    """
    stripe_process.reset()
    settings.STRIPE_SECRET_KEY = TEST_KEY
    settings.STRIPE_API_HOST = stripe_process.url
    monkeypatch.setattr("stripe.api_base", stripe_process.url)  # what dj-stripe's own reads go to
    forget_own_account()
    yield stripe_process
    assert stripe_process.call("GET", "/_sandbox/violations") == {"violations": []}
    logged = [record.msg for record in caplog.get_records("call") if isinstance(record.msg, dict)]
    assert [line for line in logged if line.get("event") == "mirror_failed"] == []


@pytest.fixture
def stripe_catalogue(stripe: StripeSandbox, catalogue: None) -> StripeSandbox:
    """The same with the shipped plans and meters pushed."""
    push_catalogue(at=AT)
    return stripe


@pytest.fixture
def vault(db: None, settings: Settings, tmp_path: Path) -> KeyEncryptionKey:
    """An active key-encryption key, in a file of the test's own."""
    return _active_kek(settings, tmp_path)


@pytest.fixture
def own_vault(own_database: None, settings: Settings, tmp_path: Path) -> KeyEncryptionKey:
    """The same in a database of the test's own, for tests that commit."""
    return _active_kek(settings, tmp_path)


def _active_kek(settings: Settings, folder: Path) -> KeyEncryptionKey:
    settings.VAULT_KEK_DIR = str(folder / "keks")
    create_local_key("test")
    return KeyEncryptionKey.objects.create(
        name="test", backend="local", location="test", state="active", created_at=AT, activated_at=AT
    )


@pytest.fixture(scope="session")
def providers_process() -> Iterator[ProvidersSandbox]:
    """The stand-in for all providers, one process a run."""
    with ProvidersSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def providers(providers_process: ProvidersSandbox, settings: Settings) -> ProvidersSandbox:
    """Providers that the product speaks to, in their first state: the same keys as ever, no faults, no calls."""
    providers_process.reset()
    settings.PROVIDERS_HOST = providers_process.url
    return providers_process


def provide_template(servers: ExitStack) -> None:
    """Start a server unless DATABASE_URL names one, and migrate a template there; once a run."""
    if TEMPLATE in os.environ:
        return
    url = servers.enter_context(temporary_database())
    name = f"quaestor_template_{secrets.token_hex(4)}"
    administer(url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    servers.callback(administer, url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    _migrate(with_database(url, name))
    servers.callback(os.environ.pop, TEMPLATE)
    servers.enter_context(pytest.MonkeyPatch.context()).setenv("DATABASE_URL", url)
    os.environ[TEMPLATE] = name


def _migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity=0"],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
        check=True,
    )
