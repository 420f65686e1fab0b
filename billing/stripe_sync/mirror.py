"""dj-stripe's copies of Stripe's objects, for staff to look at (S1). No decision of ours reads them.

Left to itself, dj-stripe stores the secret key in a table the first time it asks whose account an object belongs to.
Here that question is answered without it, for its own commands and pages too: the staff pages load this module.
"""

import json
from functools import lru_cache
from typing import Any

import stripe
import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, transaction
from djstripe import models

from billing.stripe_sync.client import is_configured, stripe_client

_log = structlog.get_logger(__name__)
_MODELS: dict[str, Any] = {
    "account": models.Account,
    "balance_transaction": models.BalanceTransaction,
    "charge": models.Charge,
    "checkout.session": models.Session,
    "customer": models.Customer,
    "dispute": models.Dispute,
    "invoice": models.Invoice,
    "payment_intent": models.PaymentIntent,
    "payment_method": models.PaymentMethod,
    "price": models.Price,
    "product": models.Product,
    "refund": models.Refund,
    "subscription": models.Subscription,
    "transfer": models.Transfer,
}
# What dj-stripe raises at an object whose shape or neighbours it does not expect.
_MISFITS = (stripe.StripeError, DatabaseError, ObjectDoesNotExist, AttributeError, KeyError, TypeError, ValueError)


def mirror(thing: stripe.StripeObject) -> None:
    """Copy an object as it was just read. What cannot be copied is logged: the copy is never worth a failed payment.

    Objects of a kind that dj-stripe has no table for are left out.
    """
    kind, key = str(thing["object"]), str(thing["id"])
    model = _MODELS.get(kind)
    if model is None:
        return
    try:
        with transaction.atomic():
            if getattr(thing, "deleted", False):
                _mark_deleted(model, key)
            else:
                model.sync_from_stripe_data(thing, api_key=settings.STRIPE_SECRET_KEY)
    except _MISFITS as error:
        _log.error("mirror_failed", kind=kind, id=key, error=type(error).__name__)


def _mark_deleted(model: Any, key: str) -> None:
    """Keep the copy and say so: rows of what was paid hang on it."""
    for copy in model.objects.filter(id=key):
        copy.stripe_data |= {"deleted": True}
        copy.save(update_fields=["stripe_data", "djstripe_updated"])


def own_account(*_ignored: object) -> models.Account | None:
    """Our own account's row; None where there is no key, or a restricted one that may not ask."""
    facts = _own_account_facts(settings.STRIPE_SECRET_KEY, stripe.api_base) if is_configured() else None
    if facts is None:
        return None
    account = json.loads(facts)
    row, _ = models.Account.objects.get_or_create(id=account["id"], defaults={"stripe_data": account})
    return row


@lru_cache(maxsize=4)
def _own_account_facts(_key: str, _host: str) -> str | None:
    """The account that a key is of, as JSON; asked once a process."""
    try:
        return str(stripe_client().v1.accounts.retrieve_current())
    except stripe.PermissionError:
        return None


def forget_own_account() -> None:
    """Ask again whose key it is."""
    _own_account_facts.cache_clear()


models.Account.get_or_retrieve_for_api_key = staticmethod(own_account)
# dj-stripe's own reads of neighbours go through the SDK's globals; none may hang for the default of 80 seconds.
stripe.default_http_client = stripe.RequestsClient(timeout=settings.STRIPE_TIMEOUT_SECONDS)
stripe.max_network_retries = 1
