"""What tenants' programs can be told of: the types of events, and what each of them carries (N1).

The documents, the console and their tests read this; a type and the meaning of its fields never change once published.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

_ACCOUNT = MappingProxyType({"id": "acc_0199e1a2b3c47d5e8f60718293a4b5c6", "name": "Default"})
_OF_ACCOUNT = MappingProxyType({"tenant": "northwind", "account": _ACCOUNT})


class EventType(StrEnum):
    """A type of event. `description` is a line for people, `example` what `data` looks like."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    INVOICE_ISSUED = "invoice.issued", "An invoice was issued; it never changes any more."
    INVOICE_PAID = "invoice.paid", "An invoice was paid."
    INVOICE_FAILED = "invoice.failed", "The payment of an invoice failed."
    CREDIT_NOTE_ISSUED = "credit_note.issued", "A credit note was issued for an invoice."
    BALANCE_LOW = "balance.low", "An account's credits have fallen below the amount that it wants to be told at."
    QUOTA_THRESHOLD_REACHED = "quota.threshold_reached", "50, 80 or 100 % of a limit is used."
    PROVIDER_KEY_HEALTH_CHANGED = "provider_key.health_changed", "A provider key stopped working, or works again."
    SUBSCRIPTION_CHANGED = "subscription.changed", "An account's plan changed, will end, or is not paid."
    SESSION_STOPPED = "session.stopped", "A session was stopped because it ran away, or by staff."
    WEBHOOK_ENDPOINT_TEST = "webhook_endpoint.test", "A test that somebody asked for; it tells of nothing."

    @property
    def example(self) -> Mapping[str, Any]:
        """What `data` of such an event looks like."""
        return _EXAMPLES[self]


SUBSCRIPTION_CHANGES = (
    "started",
    "changed",
    "cancel_planned",
    "resumed",
    "past_due",
    "restored",
    "downgraded",
    "ended",
)
"""The words of `data.change` of `subscription.changed`."""

_INVOICE = MappingProxyType(
    {
        "id": "inv_0199e1a2b3c47d5e8f60718293a4b5d7",
        "number": "INV-7QK2M9XA-0042",
        "currency": "USD",
        "total": "148.20",
        "amount_due": "148.20",
    }
)
_EXAMPLES: Mapping[EventType, Mapping[str, Any]] = MappingProxyType(
    {
        EventType.INVOICE_ISSUED: {**_OF_ACCOUNT, "invoice": _INVOICE},
        EventType.INVOICE_PAID: {**_OF_ACCOUNT, "invoice": _INVOICE},
        EventType.INVOICE_FAILED: {
            **_OF_ACCOUNT,
            "invoice": {**_INVOICE, "attempt": 1, "next_attempt_at": "2026-12-04T09:00:00Z"},
        },
        EventType.CREDIT_NOTE_ISSUED: {
            **_OF_ACCOUNT,
            "credit_note": {
                "id": "cn_0199e1a2b3c47d5e8f60718293a4b5e8",
                "number": "CN-7QK2M9XA-0001",
                "corrects": "inv_0199e1a2b3c47d5e8f60718293a4b5d7",
                "currency": "USD",
                "total": "-12.00",
            },
        },
        EventType.BALANCE_LOW: {
            **_OF_ACCOUNT,
            "currency": "USD",
            "balance": "8.4127",
            "held": "0.35",
            "threshold": "10.00",
        },
        EventType.QUOTA_THRESHOLD_REACHED: {
            **_OF_ACCOUNT,
            "feature": "executions_per_month",
            "threshold": 80,
            "used": "40012",
            "limit": "50000",
            "currency": None,
            "user": None,
            "period_start": "2026-11-01T00:00:00Z",
            "period_end": "2026-12-01T00:00:00Z",
        },
        EventType.PROVIDER_KEY_HEALTH_CHANGED: {
            "tenant": "northwind",
            "key": {
                "id": "cred_0199e1a2b3c47d5e8f60718293a4b5f9",
                "provider": "openai",
                "name": "Production",
                "last_four": "x9Qd",
            },
            "before": "valid",
            "health": "quota_exhausted",
            "reason": "The provider says that the key's quota is used up.",
        },
        EventType.SUBSCRIPTION_CHANGED: {
            **_OF_ACCOUNT,
            "change": "cancel_planned",
            "plan": "pro",
            "previous_plan": None,
            "seats": 1,
            "ends_at": "2026-12-01T00:00:00Z",
        },
        EventType.SESSION_STOPPED: {
            **_OF_ACCOUNT,
            "session": {"id": "ses_0199e1a2b3c47d5e8f60718293a4b60a", "name": "nightly-report", "agent": "Ada"},
            "workspace": "main",
            "reason": "repeats",
            "runs": 412,
        },
        EventType.WEBHOOK_ENDPOINT_TEST: {
            "tenant": "northwind",
            "endpoint": "whe_0199e1a2b3c47d5e8f60718293a4b61b",
        },
    }
)
