from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from uuid import UUID

import stripe
import structlog
from django.db import transaction

from billing.core.ids import encode_id
from billing.core.money import to_minor_units
from billing.invoices.queries import asked_by_one_off
from billing.stripe_sync.arrears import LEAST, MARK, named, unbilled
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.errors import told
from billing.stripe_sync.models import ArrearsInvoice, StripeCustomer
from billing.stripe_sync.reading import as_id, noted
from billing.stripe_sync.remote import read_customer, read_payment_methods
from billing.stripe_sync.services.sync_customer import lock_customer
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.stripe_sync.services.tell_of_invoices import tell_of_invoices
from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.queries import governing_agreement
from tenants.services.record_audit import SYSTEM, Actor, record_audit

_log = structlog.get_logger(__name__)
_FINAL_INVOICE = timedelta(hours=2)  # within which Stripe has made a subscription's last invoice
_AT_MOST_EVERY = timedelta(days=30)


class NothingToCollect(Exception):
    """Why nothing is invoiced; the text is for people."""


class NoCard(NothingToCollect):
    """There is nothing to charge."""


def collect_arrears(*, account_id: UUID, actor: Actor, at: datetime, most: Decimal | None = None) -> ArrearsInvoice:
    """Invoice what an account without a live subscription owes, and charge its card (S7).

    With `most`, what is left of invoices that no subscription asks for: that much at most, beside a live one too.
    One invoice at a time: where one is unpaid, or its making was interrupted, that one is gone on with. A declined card
    leaves it open, and the tenant is told; with `most` somebody waits for it, and stripe.CardError is raised besides.
    Raises NothingToCollect, StripeNotConfigured, stripe.StripeError.
    """
    client = stripe_client()
    row, customer, card = _opened(client, account_id, actor, at, most)
    invoice = _finalized(client, row, customer, _found(client, row, customer) or _made(client, row, customer, card))
    is_due = invoice.status == "open" and not invoice.attempt_count
    declined = _pay(client, row, invoice, card) if is_due else None
    sync_invoice(invoice_id=str(invoice.id), at=at)
    tell_of_invoices(account=customer.account, invoices=_unpaid(client, invoice), at=at)
    if declined is not None and most is not None:
        raise declined
    return ArrearsInvoice.objects.get(id=row.id)


def collect_after_end(*, account_id: UUID, at: datetime) -> bool:
    """Do so by itself where a subscription has ended, once a month at most; whether there was anything to collect.

    Not where there never was one: such a customer agreed to pay beforehand.
    """
    last = Agreement.objects.filter(account_id=account_id, ended_at__isnull=False).order_by("-ended_at").first()
    is_fresh = last is None or last.ended_at is None or at - last.ended_at < _FINAL_INVOICE
    lately = ArrearsInvoice.objects.filter(account_id=account_id, created_at__gt=at - _AT_MOST_EVERY)
    if is_fresh or lately.exclude(state=ArrearsInvoice.State.OPENING).exists():
        return False
    try:
        collect_arrears(account_id=account_id, actor=SYSTEM, at=at)
    except NothingToCollect as error:
        _log.info("arrears_left", account=str(account_id), reason=str(error))
        return False
    return True


@transaction.atomic
def _opened(
    client: stripe.StripeClient, account_id: UUID, actor: Actor, at: datetime, most: Decimal | None
) -> tuple[ArrearsInvoice, StripeCustomer, str]:
    """Our row, committed before Stripe is asked for an invoice; its customer; the card to charge."""
    customer = lock_customer(account_id)
    remote = read_customer(client, customer.customer_id) if customer is not None else None
    if customer is None or remote is None:
        raise NoCard("The account has no customer at Stripe.")
    cards = read_payment_methods(client, customer.customer_id)
    default = as_id(remote.invoice_settings.default_payment_method) if remote.invoice_settings else ""
    card = default or next((card.id for card in cards), "")
    known = ArrearsInvoice.objects.filter(account_id=account_id, state__in=ArrearsInvoice.UNPAID).first()
    if known is not None:
        return known, customer, card
    if governing_agreement(account_id) is not None and most is None:
        raise NothingToCollect("The account's subscription will invoice its usage.")
    if not card:
        raise NoCard("The customer has no card at Stripe.")
    amount = unbilled(client, customer) if most is None else min(most, unbilled(client, customer, rounding=ROUND_UP))
    if amount < LEAST:
        raise NothingToCollect(f"Less than {LEAST} {customer.account.currency} is owed and not on an invoice.")
    return _noted(customer.account, amount, actor, at), customer, card


def _noted(account: BillingAccount, amount: Decimal, actor: Actor, at: datetime) -> ArrearsInvoice:
    row = ArrearsInvoice.objects.create(
        account_id=account.id,
        amount=amount,
        description=named(asked_by_one_off(account.id, amount)),  # kept: a request that is repeated says the same
        created_at=at,
    )
    record_audit(
        tenant_id=account.tenant_id,
        actor=actor,
        action="arrears.invoiced",
        target=encode_id("acc", account.id),
        at=at,
        detail={"amount": f"{amount:f}", "currency": account.currency},
    )
    return row


def _found(client: stripe.StripeClient, row: ArrearsInvoice, customer: StripeCustomer) -> stripe.Invoice | None:
    """The invoice that an earlier try has made, however long ago; the newest hundred are looked at."""
    if row.invoice_id:
        return client.v1.invoices.retrieve(row.invoice_id)
    found = client.v1.invoices.list({"customer": customer.customer_id, "limit": 100}).data
    return next((one for one in found if noted(one, MARK) == row.id.hex), None)


def _made(client: stripe.StripeClient, row: ArrearsInvoice, customer: StripeCustomer, card: str) -> stripe.Invoice:
    params: stripe.params.InvoiceCreateParams = {
        "customer": customer.customer_id,
        "currency": customer.account.currency.lower(),
        "collection_method": "charge_automatically",
        "auto_advance": False,  # a draft whose line is still missing must not finish by itself
        "pending_invoice_items_behavior": "exclude",
        "default_payment_method": card,
        "metadata": {MARK: row.id.hex},
    }
    return client.v1.invoices.create(params, _key(row, "invoice"))


def _finalized(
    client: stripe.StripeClient, row: ArrearsInvoice, customer: StripeCustomer, invoice: stripe.Invoice
) -> stripe.Invoice:
    """The invoice with its one line, fixed and numbered."""
    ArrearsInvoice.objects.filter(id=row.id, invoice_id="").update(invoice_id=invoice.id)
    if invoice.status != "draft":
        return invoice
    if not invoice.lines.data:
        client.v1.invoice_items.create(
            {
                "customer": customer.customer_id,
                "invoice": str(invoice.id),
                "amount": to_minor_units(row.amount, customer.account.currency),
                "currency": customer.account.currency.lower(),
                "description": row.description or named([]),
                "metadata": {MARK: row.id.hex},
            },
            _key(row, "item"),
        )
    return client.v1.invoices.finalize_invoice(str(invoice.id), {"auto_advance": True}, _key(row, "finalize"))


def _pay(
    client: stripe.StripeClient, row: ArrearsInvoice, invoice: stripe.Invoice, card: str
) -> stripe.CardError | None:
    """Charge the card; the refusal, if it was one."""
    params: stripe.params.InvoicePayParams = {"payment_method": card} if card else {}
    try:
        client.v1.invoices.pay(str(invoice.id), params, _key(row, "pay"))
    except stripe.CardError as error:
        _log.info("arrears_declined", invoice=invoice.id, error=told(error))
        return error
    return None


def _unpaid(client: stripe.StripeClient, invoice: stripe.Invoice) -> list[stripe.Invoice]:
    read = client.v1.invoices.retrieve(str(invoice.id))
    return [read] if read.status == "open" else []


def _key(row: ArrearsInvoice, step: str) -> stripe.RequestOptions:
    return {"idempotency_key": f"arrears:{row.id.hex}:{step}"}
