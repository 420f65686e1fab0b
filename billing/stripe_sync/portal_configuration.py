"""What customers may do in Stripe's portal: cards, invoices, cancelling at the period's end (S3)."""

from typing import Any

import stripe

from billing.stripe_sync.reading import noted

_MARK = {"quaestor": "portal"}
_FEATURES: Any = {  # the SDK has one type for making and one for changing
    "customer_update": {"enabled": False},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
    # Plans, seats and variants are changed here, where the proration is shown first (P10).
    "subscription_update": {"enabled": False},
}


def put_portal_configuration(client: stripe.StripeClient, *, return_url: str) -> str:
    """Make our configuration, or bring the one that is there up to date; answers its id. Raises stripe.StripeError."""
    found = _found(client)
    if found is not None:
        client.v1.billing_portal.configurations.update(
            found.id, {"features": _FEATURES, "default_return_url": return_url, "active": True}
        )
        return found.id
    made = client.v1.billing_portal.configurations.create(
        {"features": _FEATURES, "default_return_url": return_url, "metadata": _MARK}
    )
    return made.id


def portal_configuration_id(client: stripe.StripeClient, *, return_url: str) -> str:
    """Our configuration's id, for opening the portal; made now if it is not there. Raises stripe.StripeError."""
    found = _found(client)
    if found is not None and found.active:
        return found.id
    return put_portal_configuration(client, return_url=return_url)


def _found(client: stripe.StripeClient) -> stripe.billing_portal.Configuration | None:
    for configuration in client.v1.billing_portal.configurations.list({"limit": 100}).auto_paging_iter():
        if noted(configuration, "quaestor") == _MARK["quaestor"]:
            return configuration
    return None
