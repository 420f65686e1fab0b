"""The kinds of e-mails: what each is about, which of its readers may do without, and where its button leads.

A layer that tells of something new adds its kind here: the outbox takes no other, so that nobody's choice misses one.
"""

from dataclasses import dataclass
from enum import StrEnum

from tenants.permissions import Permission


class Category(StrEnum):
    """What members choose e-mails by."""

    USAGE = "usage"
    BALANCE = "balance"
    PAYMENTS = "payments"
    INVOICES = "invoices"
    KEYS = "keys"
    WEBHOOKS = "webhooks"


READERS: dict[Category, Permission] = {
    Category.USAGE: Permission.BILLING_MANAGE,
    Category.BALANCE: Permission.BILLING_MANAGE,
    Category.PAYMENTS: Permission.BILLING_MANAGE,
    Category.INVOICES: Permission.BILLING_MANAGE,
    Category.KEYS: Permission.TENANT_MANAGE,
    Category.WEBHOOKS: Permission.TENANT_MANAGE,
}
"""Who is written to, unless they choose otherwise: who can do something about it."""

OWNERS_ALWAYS = frozenset({Category.PAYMENTS})
"""What owners cannot switch off: a plan must not be lost because nobody read of it (S8)."""


class Kind(StrEnum):
    """What an e-mail tells."""

    QUOTA_BURN = "quota-burn"
    SESSION_STOPPED = "session-stopped"
    LOW_BALANCE = "low-balance"
    PAYMENT_FAILED = "payment-failed"
    PAYMENT_RETRY_FAILED = "payment-retry-failed"
    PLAN_PAST_DUE = "plan-past-due"
    PLAN_DOWNGRADED = "plan-downgraded"
    PLAN_RESTORED = "plan-restored"
    PLAN_CANCELLED = "plan-cancelled"
    PLAN_RESUMED = "plan-resumed"
    PLAN_ENDED = "plan-ended"
    PLAN_PAID_TWICE = "plan-paid-twice"
    INVOICE_READY = "invoice-ready"
    CREDIT_NOTE = "credit-note"
    KEY_HEALTH = "key-health"
    WEBHOOK_DISABLED = "webhook-endpoint-disabled"
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class About:
    """`category` is None for what goes to an address of its own; `page` is the route that the button leads to."""

    category: Category | None
    page: str = "console:overview"
    link_text: str = "Open the billing console"


_USAGE = About(Category.USAGE, "console:alerts", "See limits and caps")
_PAYMENT = About(Category.PAYMENTS, "console:payment", "Open Payment")
_PLAN = About(Category.PAYMENTS, "console:plans", "See your plan")
ABOUT: dict[Kind, About] = {
    Kind.QUOTA_BURN: _USAGE,
    Kind.SESSION_STOPPED: About(Category.USAGE, "console:sessions", "See sessions"),
    Kind.LOW_BALANCE: About(Category.BALANCE, "console:credits", "Add credits"),
    Kind.PAYMENT_FAILED: _PAYMENT,
    Kind.PAYMENT_RETRY_FAILED: _PAYMENT,
    Kind.PLAN_PAST_DUE: _PAYMENT,
    Kind.PLAN_DOWNGRADED: _PAYMENT,
    Kind.PLAN_RESTORED: _PLAN,
    Kind.PLAN_CANCELLED: _PLAN,
    Kind.PLAN_RESUMED: _PLAN,
    Kind.PLAN_ENDED: _PLAN,
    Kind.PLAN_PAID_TWICE: _PLAN,
    Kind.INVOICE_READY: About(Category.INVOICES, "console:invoices", "See invoices"),
    Kind.CREDIT_NOTE: About(Category.INVOICES, "console:invoices", "See invoices"),
    Kind.KEY_HEALTH: About(Category.KEYS, "console:keys", "Open Provider keys"),
    Kind.WEBHOOK_DISABLED: About(Category.WEBHOOKS, "console:webhooks", "Open Webhooks"),
    Kind.INVITATION: About(None),
}
