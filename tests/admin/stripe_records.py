"""Rows of the work with Stripe, and copies of Stripe's objects as dj-stripe keeps them, without a Stripe."""

from decimal import Decimal
from typing import Any

from djstripe import models

from billing.stripe_sync.models import DriftFinding, InboxEvent, InvoiceSettlement, MeterReport, StripeCustomer
from tests.make import AT, Customer

SECOND = int(AT.timestamp())


def make_stripe_records(customer: Customer) -> None:
    """One of each kind, of this customer."""
    name = customer.tenant.slug
    key = f"cus_{name}"
    StripeCustomer.objects.create(account=customer.account, customer_id=key, created_at=AT)
    _make_rows(customer, key)
    _make_copies(name, key)


def _make_rows(customer: Customer, key: str) -> None:
    InboxEvent.objects.create(
        event_id=f"evt_{key}",
        type="customer.updated",
        object_type="customer",
        object_id=key,
        customer_id=key,
        livemode=False,
        occurred_at=AT,
        received_at=AT,
        due_at=AT,
        state="failed",
        tries=7,
        error="ValueError: No plan fits",
    )
    DriftFinding.objects.create(
        account=customer.account,
        kind="subscription",
        object_id=f"sub_{key}",
        field="seats",
        theirs="3",
        ours="1",
        found_at=AT,
        seen_at=AT,
    )

    MeterReport.objects.create(
        account=customer.account,
        product="pstn",
        period_start=AT,
        sequence=1,
        amount=Decimal("1.8"),
        identifier=f"mtr_{key}",
        created_at=AT,
        error="ReportRefused: The account has no customer at Stripe.",
    )
    InvoiceSettlement.objects.create(
        invoice_id=f"in_{key}", account=customer.account, metered=2, settled=Decimal("1.8"), settled_at=AT
    )


def _make_copies(name: str, key: str) -> None:
    customer = _copy(models.Customer, key, name=name, email=f"{name}@example.com")
    _copy(models.Account, f"acct_{name}", email=f"{name}@example.com", payouts_enabled=True)
    product = _copy(models.Product, f"prod_{name}", {"name": "Pro"}, name="Pro", active=True)
    _copy(
        models.Price,
        f"price_{name}",
        {"product": product, "active": True, "currency": "usd", "nickname": ""},
        currency="usd",
        unit_amount=900,
        product=product.id,
        active=True,
        lookup_key=f"quaestor:{name}",
    )
    _copy(models.PaymentMethod, f"pm_{name}", customer=key, card=CARD)
    _make_payments(name, key)
    _make_invoice(customer, name)
    periods = {"current_period_start": SECOND, "current_period_end": SECOND + 86400}
    items = {"data": [{"price": {"id": f"price_{name}", "lookup_key": None}, "quantity": 2} | periods]}
    _copy(models.Subscription, f"sub_{name}", {"customer": customer}, customer=key, status="active", items=items)
    _copy(models.Session, f"cs_{name}", customer=key, status="complete", currency="usd", amount_total=900)
    _copy(models.Transfer, f"tr_{name}", destination=f"acct_{name}", amount=800, currency="usd")
    models.WebhookEndpoint.objects.create(
        id=f"we_{name}",
        url=f"https://{name}.example/stripe/webhook/",
        secret="NEVERSHOWN",
        enabled_events=["invoice.paid"],
        status="enabled",
    )


def _make_payments(name: str, key: str) -> None:
    said = {"customer": key, "amount": 900, "currency": "usd", "status": "succeeded"}
    columns = {"amount": Decimal(9), "currency": "usd", "status": "succeeded"}
    charge = _copy(models.Charge, f"ch_{name}", columns, **said)
    _copy(models.PaymentIntent, f"pi_{name}", **said)
    refunded = {"amount": 900, "currency": "usd", "charge": charge}
    _copy(models.Refund, f"re_{name}", refunded, charge=charge.id, amount=900, currency="usd", status="succeeded")
    _copy(models.Dispute, f"dp_{name}", charge=charge.id, amount=900, currency="usd", status="needs_response")


def _make_invoice(customer: Any, name: str) -> None:
    _copy(
        models.Invoice,
        f"in_{name}",
        {"customer": customer},
        customer=customer.id,
        number=f"{name}-0001",
        currency="usd",
        total=900,
        amount_paid=900,
        amount_remaining=0,
        next_payment_attempt=None,
        status="paid",
        parent={"subscription_details": {"subscription": f"sub_{name}"}},
        lines={"data": [{"amount": 900, "currency": "usd", "description": "1 × Pro"}]},
        hosted_invoice_url="https://stripe.example/invoice",
        invoice_pdf="https://stripe.example/pdf",
    )


CARD = {"brand": "visa", "last4": "4242", "exp_month": 1, "exp_year": 2030}


def _copy(model: Any, key: str, columns: dict[str, Any] | None = None, /, **data: Any) -> Any:
    data = {"id": key, "created": SECOND, "livemode": False} | data
    return model.objects.create(id=key, created=AT, livemode=False, stripe_data=data, **(columns or {}))
