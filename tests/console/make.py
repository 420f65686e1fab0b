"""Members that are signed in, and usage to look at."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import count

import msgspec
from django.test import Client

from billing.usage.services.ingest_events import ingest_events
from tenants.models import Membership, Tenant, User
from tenants.permissions import Role
from tests.make import AT, Customer

QueryCount = Callable[[int], AbstractContextManager[object]]
"""What `django_assert_num_queries` is."""

HTMX = {"HX-Request": "true"}
_numbers = count(1)


def make_user(*, is_staff: bool = False, password: str | None = None) -> User:
    return User.objects.create_user(f"user-{next(_numbers)}@example.com", password, is_staff=is_staff)


def make_member(tenant: Tenant, role: Role = Role.OWNER, *, user: User | None = None) -> User:
    user = user or make_user()
    Membership.objects.create(tenant=tenant, user=user, role=role)
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_client(tenant: Tenant, role: Role = Role.OWNER) -> Client:
    """The browser of a new member."""
    return signed_in(make_member(tenant, role))


def make_calls(customer: Customer, model: str, times: int, *, workspace: str = "main", at: datetime = AT) -> None:
    """Calls of an OpenAI model with 1,000 tokens in and 200 out."""
    ingest(
        customer,
        [
            {
                "idempotency_key": f"call-{next(_numbers)}",
                "workspace": workspace,
                "product": "llm",
                "provider": "openai",
                "model": model,
                "input_tokens": 1000,
                "output_tokens": 200,
                "occurred_at": at,
            }
            for _ in range(times)
        ],
        at=at,
    )


def make_minutes(customer: Customer, minutes: str, *, at: datetime = AT) -> None:
    """Minutes of phone calls."""
    key = f"pstn-{next(_numbers)}"
    ingest(customer, [{"idempotency_key": key, "workspace": "main", "product": "pstn", "quantity": minutes}], at=at)


def ingest(customer: Customer, events: list[dict[str, object]], *, at: datetime) -> None:
    raw = [msgspec.Raw(msgspec.json.encode(event)) for event in events]
    results = ingest_events(caller=customer.key.caller, events=raw, at=at)
    assert {result.status for result in results} == {"accepted"}, results
