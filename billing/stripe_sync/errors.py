"""What working with Stripe can end in."""

import re

import stripe

from billing.stripe_sync.client import StripeNotConfigured

_SECRETS = re.compile(r"\b(sk_test|sk_live|rk_test|rk_live|whsec)_\w+")
# Nothing is wrong with what was asked: it waits until Stripe can be spoken to.
UNREACHABLE = (
    StripeNotConfigured,
    stripe.APIConnectionError,
    stripe.RateLimitError,
    stripe.AuthenticationError,
)


def is_outage(error: BaseException) -> bool:
    """Whether Stripe as a whole is away, busy or broken, or does not know our key."""
    if isinstance(error, UNREACHABLE):
        return True
    return isinstance(error, stripe.StripeError) and (error.http_status or 0) >= 500


def is_gone(error: BaseException) -> bool:
    """Whether what was asked for exists no more."""
    return isinstance(error, stripe.InvalidRequestError) and error.code == "resource_missing"


def told(error: BaseException, *, limit: int = 300) -> str:
    """An error for a table: its class and the first line of what it says, with anything like a key masked.

    The lines after the first are left out: the database's name the values of a row.
    """
    lines = str(error).splitlines()
    return _SECRETS.sub(r"\1_…", f"{type(error).__name__}: {lines[0] if lines else ''}")[:limit]
