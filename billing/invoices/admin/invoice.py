"""Issued documents as staff see them: read only, with the check of their seal and credit notes on them (I1)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import now

from billing.core.money import spell_amount
from billing.invoices.admin.credit_note_form import CreditNoteForm
from billing.invoices.admin.document_texts import amount_field, party_text, taxes_text
from billing.invoices.admin.lines import InvoiceLineInline
from billing.invoices.documents.reading import customer_party, seller_party
from billing.invoices.errors import NotCreditable
from billing.invoices.models import Invoice
from billing.invoices.models.invoice import NO_HASH
from billing.invoices.services.issue_credit_note import issue_credit_note
from billing.invoices.services.verify_invoices import verify_document
from billing.subscriptions.services.lock_ledgers import lock_ledgers
from tenants.services.record_audit import Actor
from tenants.staff_admin import (
    LargeTableAdmin,
    badge,
    change_url,
    confirmed_action,
    go_to,
    link,
    uuid_in,
)
from tenants.staff_dialogs import dialog_action

_INVOICE = "billing_invoices_invoice"
_KIND_COLOURS = {"Invoice": "info", "Credit note": "warning"}
_SHOWN = 10  # findings, one message each
_AMOUNTS = (
    ("shown_subtotal", "shown_taxes"),
    ("shown_total", "shown_credits_applied"),
    ("shown_carried", "shown_due"),
    ("shown_off_debt", "shown_as_credits"),
)
_SEAL = ("shown_position", "shown_previous_hash", "shown_hash")
_AT_PROCESSOR = ("shown_external_id", "shown_external_number")


@admin.register(Invoice)
class InvoiceAdmin(LargeTableAdmin[Invoice]):
    """Documents are sealed when they are issued: nothing in them changes, and the database refuses it. What is wrong
    with one is corrected by a credit note."""

    list_display = ("number", "belongs_to", "kind_badge", "issued_at", "shown_total", "shown_due", "status")
    list_filter = ("kind", "reason", "payment__status", "currency", "issued_at")
    search_fields = ("=number", "=external_id", "=external_number", "account__tenant__name", "account__tenant__slug")
    search_help_text = "Number, tenant, or the id of a document, cycle, account or tenant"
    id_search_fields = ("id", "account_id", "cycle_id", "account__tenant_id")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "kind_badge"),
                    ("belongs_to", "reason"),
                    ("period_start", "period_end"),
                    ("issued_at", "closes"),
                    ("status", "related"),
                    "note",
                )
            },
        ),
        ("Amounts", {"fields": _AMOUNTS}),
        ("Parties", {"fields": (("shown_seller", "shown_customer"),)}),
        ("Seal", {"fields": _SEAL}),
        ("At the payment processor", {"fields": (_AT_PROCESSOR,)}),
    )
    readonly_fields = (
        *("kind_badge", "belongs_to", "closes", "status", "related", "shown_seller", "shown_customer"),
        *(name for pair in _AMOUNTS for name in pair),
        *(*_SEAL, *_AT_PROCESSOR),
    )
    inlines = (InvoiceLineInline,)
    actions_detail = ("check_seal", "credit_note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).select_related("account__tenant", "payment", "cycle", "corrects")

    def has_seal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing_invoices.view_invoice")

    def has_credit_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """unfold passes the id of the page's object: a credit note is not credited again."""
        if not request.user.has_perm("billing_invoices.change_invoice"):
            return False
        if obj is None:
            return True
        found = uuid_in(str(obj))
        return found is not None and Invoice.objects.filter(id=found, kind=Invoice.Kind.INVOICE).exists()

    @admin.display(description="Account", ordering="account_id")
    def belongs_to(self, invoice: Invoice) -> SafeString:
        return link("billing_subscriptions_billingaccount", invoice.account_id, invoice.account)

    @badge("Kind", _KIND_COLOURS, ordering="kind")
    def kind_badge(self, invoice: Invoice) -> str:
        return invoice.get_kind_display()

    shown_subtotal = amount_field("subtotal", "Subtotal")
    shown_total = amount_field("total", "Total")
    shown_credits_applied = amount_field("credits_applied", "Paid from credits")
    shown_carried = amount_field("carried", "Carried over from or to other invoices")
    shown_due = amount_field("amount_due", "Due")
    shown_off_debt = amount_field("off_debt", "Credit note: taken off what was owed")
    shown_as_credits = amount_field("as_credits", "Credit note: given back as credits")

    @admin.display(description="Taxes")
    def shown_taxes(self, invoice: Invoice) -> str:
        return taxes_text(invoice)

    @admin.display(description="From")
    def shown_seller(self, invoice: Invoice) -> str:
        return party_text(seller_party(invoice.seller))

    @admin.display(description="Bill to")
    def shown_customer(self, invoice: Invoice) -> str:
        return party_text(customer_party(invoice.customer))

    @admin.display(description="Place among the account's documents")
    def shown_position(self, invoice: Invoice) -> int:
        return invoice.position

    @admin.display(description="Seal of the document before it")
    def shown_previous_hash(self, invoice: Invoice) -> str:
        return "None: it is the first" if invoice.previous_hash == NO_HASH else invoice.previous_hash

    @admin.display(description="Seal (SHA-256)")
    def shown_hash(self, invoice: Invoice) -> str:
        return invoice.content_hash

    @admin.display(description="Its id there")
    def shown_external_id(self, invoice: Invoice) -> str:
        return invoice.external_id or "–"

    @admin.display(description="Its number there")
    def shown_external_number(self, invoice: Invoice) -> str:
        return invoice.external_number or "–"

    @admin.display(description="Billing cycle")
    def closes(self, invoice: Invoice) -> str:
        return "–" if invoice.cycle is None else link("billing_invoices_billingcycle", invoice.cycle_id, invoice.cycle)

    @admin.display(description="Payment")
    def status(self, invoice: Invoice) -> str:
        payment = getattr(invoice, "payment", None)
        if payment is None:
            return "–"
        return link("billing_invoices_invoicepayment", payment.pk, payment.get_status_display())

    @admin.display(description="Corrections")
    def related(self, invoice: Invoice) -> str:
        """Credit notes of an invoice, the invoice of a credit note."""
        others = [invoice.corrects] if invoice.corrects is not None else list(invoice.credit_notes.order_by("position"))
        return format_html_join(", ", "{}", ((link(_INVOICE, other.id, other.number),) for other in others)) or "–"

    @confirmed_action(
        "Check the seal",
        question="Computes the hash of all that it says again, and compares its number, sums and place among the "
        "account's documents.",
        icon="verified",
        permission="seal",
        url_path="check-seal",
    )
    def check_seal(self, request: HttpRequest, _form: Form, object_id: str) -> HttpResponse:
        invoice = Invoice.objects.get(id=object_id)
        findings = verify_document(invoice)
        for finding in findings[:_SHOWN]:
            self.message_user(request, finding, messages.ERROR)
        if not findings:
            self.message_user(request, f"{invoice.number} is as it was issued.", messages.SUCCESS)
        return go_to(change_url(_INVOICE, object_id))

    @dialog_action(
        "Issue credit note",
        form_class=CreditNoteForm,
        submit="Issue",
        text="Taken off what is owed for an open invoice, else given back as credits. At Stripe nothing changes. The "
        "customer is told, and sees the reason on the document.",
        icon="undo",
        permission="credit",
        url_path="credit-note",
    )
    def credit_note(self, request: HttpRequest, form: CreditNoteForm, invoice: Invoice) -> HttpResponse:
        try:
            note = _issue(request, form, invoice)
        except NotCreditable as error:
            raise ValidationError(str(error)) from error
        credited = spell_amount(-note.total, note.currency)
        self.log_change(request, invoice, f"Credit note {note.number} of {credited}")
        self.message_user(request, f"{note.number} of {credited} is issued.", messages.SUCCESS)
        return go_to(change_url(_INVOICE, note.id))


@transaction.atomic
def _issue(request: HttpRequest, form: CreditNoteForm, invoice: Invoice) -> Invoice:
    """Under the lock that documents are issued under, so that a form that is sent twice issues one."""
    lock_ledgers([invoice.account_id])
    if form.is_outdated():
        raise ValidationError("A credit note was issued meanwhile. Look at it before you issue another.")
    return issue_credit_note(
        invoice_id=invoice.id,
        amount=form.cleaned_data["amount"],
        note=form.cleaned_data["note"],
        actor=Actor(user_id=request.user.pk),
        at=now(),
    )
