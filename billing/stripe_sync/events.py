"""Which of Stripe's events we ask for (S4); `connect_stripe` enables them, and docs/stripe.md lists them."""

from collections.abc import Mapping
from types import MappingProxyType

PLATFORM_EVENTS = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "charge.succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "credit_note.created",
    "credit_note.voided",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.created",
    "invoice.finalization_failed",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.updated",
    "invoice.voided",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "transfer.created",
    "transfer.reversed",
    "transfer.updated",
)
"""Of our own account."""

CONNECT_EVENTS = ("account.application.deauthorized", "account.updated")
"""Of creators' accounts; Stripe sends them to endpoints made for Connect alone."""

EVENTS_BY_ENDPOINT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"platform": PLATFORM_EVENTS, "connect": CONNECT_EVENTS}
)
"""The two endpoints that an installation has, by what their metadata calls them."""
