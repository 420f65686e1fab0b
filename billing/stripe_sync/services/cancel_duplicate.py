from collections.abc import Sequence
from datetime import datetime

import stripe

from billing.notifications.kinds import Kind
from billing.notifications.services.tell_tenant import tell_tenant
from billing.stripe_sync.models import StripeCustomer
from billing.stripe_sync.reading import as_id, is_live, noted, plan_item, plan_prices
from billing.subscriptions.queries import governing_agreement

_MARK = "quaestor_duplicate_of"


def cancel_duplicates(
    *,
    client: stripe.StripeClient,
    customer: StripeCustomer,
    subscriptions: Sequence[stripe.Subscription],
    at: datetime,
) -> bool:
    """End every plan subscription but the one that started first, and give the money back; whether there was any.

    Two Checkout pages were paid, say. The later one is marked, refunded and only then cancelled: whatever step fails,
    the next look takes it up again, and a marked one is never kept in another's place. Call it under the customer's
    lock. Raises stripe.StripeError.
    """
    prices = plan_prices(subscriptions)
    live = [one for one in subscriptions if is_live(one) and plan_item(one, prices) is not None]
    unmarked = [one for one in live if not noted(one, _MARK)]
    governing = governing_agreement(customer.account_id)
    followed = governing.external_id if governing is not None else ""
    kept = min(unmarked, key=lambda one: (one.start_date, one.id != followed, one.id), default=None)
    doubles = [one for one in live if one is not kept]
    for double in doubles:
        if not noted(double, _MARK) and kept is not None:
            client.v1.subscriptions.update(double.id, {"metadata": {_MARK: kept.id}})
        refund_invoice(client, as_id(double.latest_invoice))
        client.v1.subscriptions.cancel(double.id, {"invoice_now": False, "prorate": False})
        _tell(customer, double, at)
    return bool(doubles)


def refund_invoice(client: stripe.StripeClient, invoice_id: str) -> None:
    """Give back all that was paid on an invoice; a second time changes nothing. Raises stripe.StripeError."""
    if not invoice_id:
        return
    for payment in client.v1.invoice_payments.list({"invoice": invoice_id, "status": "paid"}).auto_paging_iter():
        intent = as_id(getattr(payment.payment, "payment_intent", None))
        if not intent:
            continue
        try:
            client.v1.refunds.create(
                {"payment_intent": intent, "reason": "duplicate"}, {"idempotency_key": f"refund-duplicate:{intent}"}
            )
        except stripe.InvalidRequestError as error:
            if error.code != "charge_already_refunded":
                raise


def _tell(customer: StripeCustomer, double: stripe.Subscription, at: datetime) -> None:
    account = customer.account
    tell_tenant(
        tenant_id=account.tenant_id,
        kind=Kind.PLAN_PAID_TWICE,
        key=f"{Kind.PLAN_PAID_TWICE}:{double.id}",
        subject=f"{account.tenant.name}: a second payment is on its way back",
        body=(
            f"Billing account “{account.name}”.\n\nA plan was paid for while another one was in force already. The "
            "later subscription was cancelled and its payment refunded in full; banks take some days to show it.\n\n"
            "To change the plan that is in force, open the plans page of the console."
        ),
        at=at,
    )
