"""When an API key was used last (F3)."""

from datetime import datetime, timedelta

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from billing.api.hot.key_cache import forget_callers
from tenants.models import ApiKey
from tenants.permissions import Permission
from tenants.services.note_key_use import EVERY
from tenants.services.record_audit import SYSTEM
from tenants.services.revoke_api_key import revoke_api_key
from tests.api.calls import call, get, refusal
from tests.api.endpoints import EVENT
from tests.make import AT, Customer, Key, make_api_key, make_customer

BALANCE = "/v1/billing/balance"


def unused(customer: Customer, *scopes: Permission) -> Key:
    key = make_api_key(customer.tenant, *scopes)
    ApiKey.objects.update(last_used_at=None)
    return key


def noted(key: Key) -> datetime | None:
    return ApiKey.objects.get(id=key.row.id).last_used_at


def test_use_is_noted_once_in_five_minutes(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """F3: the first call writes; those of the next five minutes take no query for it."""
    key = unused(make_customer())
    assert get(BALANCE, key).status_code == 200
    assert noted(key) == AT
    with time_machine.travel(AT + EVERY, tick=False), django_assert_num_queries(3):
        get(BALANCE, key)
    assert noted(key) == AT
    later = AT + EVERY + timedelta(seconds=1)
    with time_machine.travel(later, tick=False), django_assert_num_queries(4):
        get(BALANCE, key)
    assert noted(key) == later


@pytest.mark.parametrize("path", ["usage/events", "runtime/authorizations"])
def test_hot_calls_are_noted_too(path: str) -> None:
    """F3: they authenticate by the same function, behind a memory of seconds; a refused scope is a use as well."""
    key = unused(make_customer())
    call("POST", f"/v1/{path}", key, EVENT)
    assert noted(key) == AT
    forget_callers()
    reader = unused(make_customer(), Permission.BILLING_VIEW)
    assert refusal(call("POST", f"/v1/{path}", reader, EVENT)) == (403, "insufficient-scope")
    assert noted(reader) == AT


def test_refused_key_is_not_noted() -> None:
    """F3: neither one that was revoked nor one that does not exist."""
    customer = make_customer()
    key = unused(customer)
    revoke_api_key(tenant_id=customer.tenant.id, key_id=key.row.id, at=AT, actor=SYSTEM)
    assert refusal(get(BALANCE, key)) == (401, "revoked-api-key")
    key.row.delete()
    assert refusal(get(BALANCE, key)) == (401, "invalid-api-key")
    assert not ApiKey.objects.exclude(last_used_at=None).exists()
