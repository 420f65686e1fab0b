"""The one door to Stripe: a configured client, and what its failures mean to who asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import stripe
import structlog
from django.conf import settings

from billing.core.problems import Problem, problem

_log = structlog.get_logger(__name__)
# The SDK tries again under the same idempotency key, after a lost connection, 409 or 5xx. Where somebody waits there is
# one further try, each for five seconds at most, so that a silent Stripe is reported within a dozen seconds.
_TRIES_AGAIN, _TRIES_AGAIN_WAITED_FOR = 2, 1
_SECONDS_WAITED_FOR = 5
_is_waited_for: ContextVar[bool] = ContextVar("is_waited_for", default=False)

# What a failed call may have done to the tenant's money, for `asking_stripe`.
NOTHING_CHARGED = "Nothing was charged."
MAYBE_CHARGED = "Whether it went through is not known yet; it will show here, and trying again charges nothing twice."
ONLY_READ = ""


class StripeNotConfigured(Exception):
    """No key is set; for work in the background, that then has nothing to do."""


def is_configured() -> bool:
    """Whether there is a Stripe to speak to (S6)."""
    return bool(settings.STRIPE_SECRET_KEY)


def stripe_client() -> stripe.StripeClient:
    """The client. Raises StripeNotConfigured."""
    if not is_configured():
        raise StripeNotConfigured("STRIPE_SECRET_KEY is not set.")
    waited_for, timeout = _is_waited_for.get(), settings.STRIPE_TIMEOUT_SECONDS
    return _client(
        settings.STRIPE_SECRET_KEY,
        getattr(settings, "STRIPE_API_HOST", None),
        min(timeout, _SECONDS_WAITED_FOR) if waited_for else timeout,
        _TRIES_AGAIN_WAITED_FOR if waited_for else _TRIES_AGAIN,
    )


@lru_cache(maxsize=4)
def _client(key: str, host: str | None, timeout: int, tries_again: int) -> stripe.StripeClient:
    return stripe.StripeClient(
        key,
        stripe_version=settings.STRIPE_API_VERSION,
        base_addresses={"api": host} if host else {},
        max_network_retries=tries_again,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@contextmanager
def asking_stripe(*, doing: str, outcome: str = NOTHING_CHARGED) -> Iterator[stripe.StripeClient]:
    """The client for a request that somebody waits for; Stripe's failures become problems that they can act on.

    `doing` completes "Stripe could not …", `outcome` says what a failure may have done. All of the block, services
    that it calls included, gives up sooner than work in the background. Raises Problem: stripe-not-configured,
    card-declined, stripe-unavailable.
    """
    token = _is_waited_for.set(True)
    try:
        yield stripe_client()
    except StripeNotConfigured:
        raise problem(
            "stripe-not-configured",
            "Payments are not set up on this installation.",
            remedy="Ask who runs it to set STRIPE_SECRET_KEY.",
        ) from None
    except stripe.StripeError as error:
        raise _told(error, doing, outcome) from None
    finally:
        _is_waited_for.reset(token)


def _told(error: stripe.StripeError, doing: str, outcome: str) -> Problem:
    """What a failure means to who waits. Texts of Stripe's are for them only where they are about their card."""
    if isinstance(error, stripe.CardError) and _kind(error) == "card_error":
        return problem(
            "card-declined",
            error.user_message or "The card was declined.",
            remedy="Try another card in the billing portal, or ask the bank.",
        )
    if isinstance(error, stripe.RateLimitError | stripe.APIConnectionError):
        _log.warning("stripe_unavailable", doing=doing, kind=type(error).__name__)
        return problem("stripe-unavailable", f"Stripe could not {doing} just now. {outcome}".strip(), retry_after=10)
    _log.error("stripe_refused", doing=doing, kind=type(error).__name__, code=error.code, request=error.request_id)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return problem(
            "stripe-unavailable",
            f"Payments are not available: Stripe refuses the key of this installation. {outcome}".strip(),
            remedy="Whoever runs the installation has to set a STRIPE_SECRET_KEY that Stripe accepts.",
            retry_after=300,
        )
    return problem(
        "stripe-unavailable", f"Stripe could not {doing}. {outcome}".strip(), remedy="Try again.", retry_after=60
    )


def _kind(error: stripe.StripeError) -> str:
    """Of the error, as Stripe names it; every 402 of the API is the same exception."""
    return str(getattr(error.error, "type", ""))
