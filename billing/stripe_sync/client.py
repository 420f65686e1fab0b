"""The one door to Stripe: a configured client, and what its failures mean to who asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import stripe
import structlog
from django.conf import settings

from billing.core.problems import problem

_log = structlog.get_logger(__name__)
_TRIES_AGAIN = 2  # of the SDK, under one idempotency key, after a lost connection, 409, 429 or 5xx


class StripeNotConfigured(Exception):
    """No key is set; for work in the background, that then has nothing to do."""


def is_configured() -> bool:
    """Whether there is a Stripe to speak to (S6)."""
    return bool(settings.STRIPE_SECRET_KEY)


def stripe_client() -> stripe.StripeClient:
    """The client. Raises StripeNotConfigured."""
    if not is_configured():
        raise StripeNotConfigured("STRIPE_SECRET_KEY is not set.")
    return _client(
        settings.STRIPE_SECRET_KEY, getattr(settings, "STRIPE_API_HOST", None), settings.STRIPE_TIMEOUT_SECONDS
    )


@lru_cache(maxsize=4)
def _client(key: str, host: str | None, timeout: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": host} if host else {},
        max_network_retries=_TRIES_AGAIN,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@contextmanager
def asking_stripe(*, doing: str) -> Iterator[stripe.StripeClient]:
    """The client for a request that somebody waits for; Stripe's failures become problems that they can act on.

    `doing` completes "Stripe could not …". Raises Problem: stripe-not-configured, card-declined, stripe-unavailable.
    """
    try:
        yield stripe_client()
    except StripeNotConfigured:
        raise problem(
            "stripe-not-configured",
            "Payments are not set up on this installation.",
            remedy="Ask who runs it to set STRIPE_SECRET_KEY.",
        ) from None
    except stripe.CardError as error:
        raise problem(
            "card-declined",
            error.user_message or "The card was declined.",
            remedy="Try another card in the billing portal, or ask the bank.",
        ) from None
    except (stripe.RateLimitError, stripe.APIConnectionError) as error:
        _log.warning("stripe_unavailable", doing=doing, kind=type(error).__name__)
        raise problem(
            "stripe-unavailable", f"Stripe could not {doing} just now; nothing was charged twice.", retry_after=10
        ) from None
    except stripe.StripeError as error:
        _log.error("stripe_refused", doing=doing, kind=type(error).__name__, code=error.code, request=error.request_id)
        raise problem(
            "stripe-unavailable", f"Stripe could not {doing}. Try again in a while.", retry_after=60
        ) from None
