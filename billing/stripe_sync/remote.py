"""Fresh reads of what Stripe has of a customer."""

import stripe

from billing.stripe_sync.errors import is_gone


def read_customer(client: stripe.StripeClient, customer_id: str) -> stripe.Customer | None:
    """The customer; None for one that was deleted. Raises stripe.StripeError."""
    try:
        customer = client.v1.customers.retrieve(customer_id)
    except stripe.InvalidRequestError as error:
        if is_gone(error):
            return None
        raise
    return None if getattr(customer, "deleted", False) else customer


def read_subscriptions(client: stripe.StripeClient, customer_id: str) -> list[stripe.Subscription]:
    """All of the customer's subscriptions, ended ones too. Raises stripe.StripeError."""
    found = client.v1.subscriptions.list({"customer": customer_id, "status": "all", "limit": 100})
    return list(found.auto_paging_iter())


def read_payment_methods(client: stripe.StripeClient, customer_id: str) -> list[stripe.PaymentMethod]:
    """The customer's cards. Raises stripe.StripeError."""
    found = client.v1.customers.payment_methods.list(customer_id, {"type": "card", "limit": 100})
    return list(found.auto_paging_iter())


def read_open_invoices(client: stripe.StripeClient, customer_id: str) -> list[stripe.Invoice]:
    """The customer's invoices that are waiting for payment. Raises stripe.StripeError."""
    found = client.v1.invoices.list({"customer": customer_id, "status": "open", "limit": 100})
    return list(found.auto_paging_iter())


def read_tax_ids(client: stripe.StripeClient, customer_id: str) -> list[stripe.TaxId]:
    """The customer's tax ids. Raises stripe.StripeError."""
    return list(client.v1.customers.tax_ids.list(customer_id, {"limit": 100}).auto_paging_iter())
