from datetime import datetime
from uuid import UUID

import stripe

from billing.core.problems import Problem, problem
from billing.invoices.models import Invoice, InvoicePayment
from billing.invoices.queries import Document, find_document
from billing.stripe_sync.client import MAYBE_CHARGED, asking_stripe
from billing.stripe_sync.models import ArrearsInvoice, StripeCustomer
from billing.stripe_sync.reading import as_id
from billing.stripe_sync.remote import read_customer
from billing.stripe_sync.services.collect_arrears import NoCard, NothingToCollect, collect_arrears
from billing.stripe_sync.services.sync_customer import sync_customer
from billing.stripe_sync.services.sync_invoice import sync_invoice
from billing.subscriptions.models import BillingAccount
from tenants.services.record_audit import SYSTEM, Actor

_Status = InvoicePayment.Status
_PAYABLE = (_Status.OPEN, _Status.UNCOLLECTIBLE)
# What Stripe says of a card whose bank wants to hear from its holder first.
_NEEDS_HOLDER = frozenset({"authentication_required", "invoice_payment_intent_requires_action"})


def pay_invoice(*, account_id: UUID, invoice_id: UUID, at: datetime, actor: Actor = SYSTEM) -> str:
    """Charge an open invoice to the account's card; answers the page to send the customer to, or nothing (S7, S8).

    There is a page where the bank wants to hear from the card's holder, or where there is no card to charge. An invoice
    of ours alone becomes a one-off invoice at Stripe for what is left of it. Raises Problem: not-found, nothing-to-pay,
    card-declined, no-card, stripe-not-configured, stripe-unavailable.
    """
    document = _payable(account_id, invoice_id)
    with asking_stripe(doing="charge the card", outcome=MAYBE_CHARGED) as client:
        if document.invoice.external_id:
            return _charge(client, account_id, document.invoice.external_id, at)
        waiting = ArrearsInvoice.objects.filter(account_id=account_id, state=ArrearsInvoice.State.OPEN).first()
        if waiting is not None:
            return _charge(client, account_id, waiting.invoice_id, at, card=_default_card(client, account_id))
        return _collect(client, document, actor, at)


def _payable(account_id: UUID, invoice_id: UUID) -> Document:
    tenant_id = BillingAccount.objects.values_list("tenant_id", flat=True).get(id=account_id)
    document = find_document(invoice_id, tenant_id=tenant_id, kind=Invoice.Kind.INVOICE)
    if document is None or document.invoice.account_id != account_id:
        raise problem("not-found", "The account has no such invoice.")
    if document.status not in _PAYABLE:
        raise problem("nothing-to-pay", f"Nothing of invoice {document.invoice.number} is left to pay.")
    return document


def _charge(client: stripe.StripeClient, account_id: UUID, key: str, at: datetime, *, card: str = "") -> str:
    """Let Stripe charge one of its invoices, to this card or its own choice, and take over what came of it."""
    page = ""
    params: stripe.params.InvoicePayParams = {"payment_method": card} if card else {}
    try:
        client.v1.invoices.pay(key, params)
    except stripe.CardError as error:
        _take_over(account_id, key, at)
        if error.code not in _NEEDS_HOLDER:
            raise
        return _page_of(client, key)
    except stripe.InvalidRequestError:  # paid or voided meanwhile, or there is no card
        page = _page_of(client, key)
    _take_over(account_id, key, at)
    return page


def _default_card(client: stripe.StripeClient, account_id: UUID) -> str:
    """The customer's own by now: a one-off invoice names the one of its making."""
    customer = StripeCustomer.objects.get(account_id=account_id)
    remote = read_customer(client, customer.customer_id)
    settings = remote.invoice_settings if remote is not None else None
    return as_id(settings.default_payment_method) if settings is not None else ""


def _collect(client: stripe.StripeClient, document: Document, actor: Actor, at: datetime) -> str:
    account_id = document.invoice.account_id
    try:
        row = collect_arrears(account_id=account_id, actor=actor, at=at, most=document.remaining)
    except NoCard:
        raise problem(
            "no-card",
            "There is no card to charge.",
            remedy="Add a card on the Payment page, or buy credits: they pay what is owed first.",
        ) from None
    except NothingToCollect as error:
        raise _too_little(document, error) from None
    except stripe.CardError as error:
        if error.code not in _NEEDS_HOLDER:
            raise
        row = ArrearsInvoice.objects.get(account_id=account_id, state=ArrearsInvoice.State.OPEN)
    return _page_of(client, row.invoice_id)


def _too_little(document: Document, error: NothingToCollect) -> Problem:
    return problem(
        "nothing-to-pay",
        f"Invoice {document.invoice.number} cannot be charged to a card: {error}",
        remedy="Buy credits: they pay what is owed first.",
    )


def _page_of(client: stripe.StripeClient, key: str) -> str:
    """Where an invoice that is still open can be paid."""
    invoice = client.v1.invoices.retrieve(key)
    return (invoice.hosted_invoice_url or "") if invoice.status in ("open", "uncollectible") else ""


def _take_over(account_id: UUID, key: str, at: datetime) -> None:
    sync_invoice(invoice_id=key, at=at)
    sync_customer(account_id=account_id, at=at)
