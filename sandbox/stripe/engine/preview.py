"""What an invoice would be: the real work is done and then taken back, so that both cannot differ (P10)."""

from contextlib import suppress

from sandbox.stripe.engine.cancelling import compose_final, require_running
from sandbox.stripe.engine.drafts import EMPTY_INVOICE
from sandbox.stripe.engine.lifecycle import get_subscription, next_renewal, store_subscription
from sandbox.stripe.engine.renewals import compose_renewal
from sandbox.stripe.engine.subscribing import compose_subscription
from sandbox.stripe.engine.updating import compose_update
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

NOTHING = "invoice_upcoming_none"


class _TakenBackError(Exception):
    """Ends the trial run."""


def preview_invoice(state: State, parameters: Json) -> Json:
    """Give the next invoice as it would be; nothing is stored and nobody is told. 404 where none is to come."""
    found: Json | None = None
    with suppress(_TakenBackError), state.store.transaction():
        found = _compose(state, parameters)
        raise _TakenBackError
    if found is None:
        raise no_invoice()
    return _as_preview(found)


def no_invoice() -> StripeError:
    return StripeError("No upcoming invoices for customer.", status=404, code=NOTHING)


def _compose(state: State, parameters: Json) -> Json | None:
    wanted: Json = dict(parameters.get("subscription_details") or {})
    if "subscription" not in parameters:
        return _compose_new(state, parameters, wanted)
    subscription = get_subscription(state, parameters["subscription"])
    if parameters.get("customer", subscription["customer"]) != subscription["customer"]:
        raise invalid("The subscription belongs to another customer.", "subscription")
    require_running(subscription)
    if wanted.get("cancel_now"):
        return compose_final(
            state, subscription, prorate_unused=wanted.get("proration_behavior") != "none", invoice_now=True
        )
    invoice = compose_update(state, subscription, wanted)
    if invoice:
        return invoice
    return _compose_next(state, subscription)


def _compose_next(state: State, subscription: Json) -> Json | None:
    when, end = next_renewal(subscription), subscription["cancel_at"]
    if end is not None and end <= when:
        return compose_final(state, subscription, prorate_unused=False, invoice_now=True)
    return compose_renewal(state, subscription, when)


def _compose_new(state: State, parameters: Json, wanted: Json) -> Json:
    if "customer" not in parameters:
        raise invalid("You must supply a customer or a subscription.", "customer", "parameter_missing")
    items = wanted.pop("items", None) or []
    if not items:
        raise no_invoice()
    subscription, invoice = compose_subscription(
        state, customer=parameters["customer"], items=items, metadata={}, parameters=wanted
    )
    store_subscription(state, subscription)
    return invoice


def _as_preview(invoice: Json) -> Json:
    """The draft as the API shows one that does not exist."""
    preview_id = new_id("upcoming_in")
    used = invoice["total"] - invoice["amount_due"]  # of the balance; negative where it grows
    lines = [line | {"invoice": preview_id} for line in invoice["lines"]["data"]]
    changes = {
        "id": preview_id,
        "billing_reason": "upcoming",
        "ending_balance": invoice["starting_balance"] + used,
        "lines": invoice["lines"] | {"data": lines, "url": "/v1/invoices/upcoming/lines"},
        "next_payment_attempt": invoice["created"],
    }
    return EMPTY_INVOICE | invoice | changes
