"""What the limiter does while the store that it decides in is away: over the path that programs call."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from pytest_django import Settings

from billing.api.hot.key_cache import forget_callers
from billing.api.hot.wsgi import HotPath
from billing.plans.queries import clear_price_book
from billing.runtime.models import Authorization
from billing.subscriptions import directory
from billing.subscriptions.services.override_entitlement import override_entitlement
from tests.api.endpoints import RUN
from tests.make import AT, Customer, make_customer


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: dict[str, Any]


Post = Callable[..., Said]


@pytest.fixture
def customer(own_database: None) -> Customer:
    """With two executions."""
    customer = make_customer("pro")
    override_entitlement(account_id=customer.account.id, feature="executions_per_month", value=2, reason="x", at=AT)
    return customer


@pytest.fixture
def ask(customer: Customer) -> Post:
    def send(key: str, path: str = "/v1/runtime/authorizations", body: dict[str, Any] | None = None) -> Said:
        content = json.dumps(RUN | {"idempotency_key": key} if body is None else body).encode()
        said: list[tuple[int, dict[str, str]]] = []
        answer = HotPath(lambda environ, start: [])(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": path,
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "80",
                "HTTP_HOST": "127.0.0.1",
                "HTTP_AUTHORIZATION": f"Bearer {customer.key.plain}",
                "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(content)),
                "wsgi.input": io.BytesIO(content),
                "wsgi.url_scheme": "http",
            },
            lambda line, headers: said.append((int(line.split()[0]), dict(headers))),
        )
        return Said(*said[0], json.loads(b"".join(answer)))

    return send


@contextmanager
def unusable(how: str) -> Iterator[None]:
    """The database of the test takes no connections, or lets nothing be written; those that are open are cut."""
    changes = {
        "refuses": ("ALTER DATABASE {} ALLOW_CONNECTIONS false", "ALTER DATABASE {} ALLOW_CONNECTIONS true"),
        "read-only": (
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            "ALTER DATABASE {} RESET default_transaction_read_only",
        ),
    }
    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(**(connection.get_connection_params() | {"dbname": "postgres"}), autocommit=True) as admin:
        broken, whole = (sql.SQL(text).format(sql.Identifier(name)) for text in changes[how])
        admin.execute(broken)
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(whole)
            connection.close()


def forget_everything() -> None:
    forget_callers()
    clear_price_book()
    directory.forget_everything()


@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("how", ["refuses", "read-only"])
def test_limiter_fails_open_when_its_store_is_down(ask: Post, how: str, remembers: bool) -> None:
    """Limits: without its database nothing is granted, whatever a process remembers; afterwards all is as before."""
    first = ask("first")
    assert first.status == 201
    run = f"/v1/runtime/authorizations/{first.body['id']}"
    with unusable(how):
        for key in ("second", "third", "first"):
            if not remembers:
                forget_everything()
            said = ask(key)
            assert (said.status, said.body["code"]) == (503, "service-unavailable")
            assert said.headers["Content-Type"] == "application/problem+json"
            assert int(said.headers["Retry-After"]) >= 1
        assert ask("", f"{run}/settle", {"input_tokens": 1, "output_tokens": 1}).status == 503
        assert ask("", f"{run}/void", {}).status == 503
    assert Authorization.objects.get().state == "open"
    assert ask("first").body["id"] == first.body["id"]
    assert [ask(key).status for key in ("second", "third")] == [201, 402]


def test_no_limit_is_kept_in_the_cache(ask: Post, settings: Settings) -> None:
    """Limits: a cache that is away neither opens a limit nor closes one."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert [ask(key).status for key in ("first", "second", "third")] == [201, 201, 402]
