"""Issued documents: invoices and the credit notes that correct them. Nothing in them ever changes (I1)."""

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from uuid_utils.compat import uuid7

from billing.credits.models.account import amount_field
from billing.invoices.models.cycle import BillingCycle
from billing.subscriptions.models import BillingAccount
from tenants.append_only import append_only

NO_HASH = "0" * 64
"""What the first document of an account names as the one before it."""

# A document is the next of its account, names the one before it, has no number's gap before it, and says what its lines
# say. Its lines come first (see InvoiceLine).
_CHAINED = f"""
    DECLARE
        last RECORD;
        lines numeric;
    BEGIN
        SELECT position, content_hash INTO last FROM billing_invoices_invoice
         WHERE account_id = NEW.account_id ORDER BY position DESC LIMIT 1;
        IF NEW.position <> COALESCE(last.position, 0) + 1
           OR NEW.previous_hash <> COALESCE(last.content_hash, '{NO_HASH}') THEN
            RAISE EXCEPTION 'Document % does not follow the last one of its account.', NEW.number
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.sequence <> 1 + COALESCE((
               SELECT max(sequence) FROM billing_invoices_invoice
                WHERE account_id = NEW.account_id AND kind = NEW.kind), 0) THEN
            RAISE EXCEPTION 'The number % would leave a gap.', NEW.number USING ERRCODE = 'check_violation';
        END IF;
        SELECT COALESCE(sum(amount), 0) INTO lines FROM billing_invoices_invoiceline WHERE invoice_id = NEW.id;
        IF lines <> NEW.subtotal THEN
            RAISE EXCEPTION 'The lines of % come to %, not to %.', NEW.number, lines, NEW.subtotal
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.kind = 'credit_note' AND 0 > (
               SELECT sum(total) FROM billing_invoices_invoice
                WHERE id = NEW.corrects_id OR corrects_id = NEW.corrects_id) + NEW.total THEN
            RAISE EXCEPTION 'Credit notes would come to more than their invoice.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END;
"""


class Invoice(models.Model):
    """A document of an account, amounts in `currency` and whole minor units.

    `total` is `subtotal`, the sum of its lines, and `tax`. What is due is the total less what credits have paid, and
    with what is carried over: usage that earlier documents listed and nobody has asked for yet (positive), or that this
    one lists and the next will ask for (negative). A credit note's amounts are negative.
    """

    class Kind(models.TextChoices):
        INVOICE = "invoice", "Invoice"
        CREDIT_NOTE = "credit_note", "Credit note"

    class Reason(models.TextChoices):
        CYCLE = "cycle", "A cycle was closed"
        SUBSCRIPTION = "subscription", "A plan was begun or changed"
        CORRECTION = "correction", "Usage was taken back"
        GOODWILL = "goodwill", "Given by staff"
        PROCESSOR = "processor", "Made at the payment processor"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="invoices")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.INVOICE)
    reason = models.CharField(max_length=12, choices=Reason)
    position = models.PositiveIntegerField(help_text="Among all documents of the account, from one.")
    sequence = models.PositiveIntegerField(help_text="Among its invoices or its credit notes, from one, without gaps.")
    number = models.CharField(max_length=40, unique=True)
    cycle = models.OneToOneField(BillingCycle, models.PROTECT, null=True, blank=True, related_name="invoice")
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credit_notes")
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    issued_at = models.DateTimeField()
    subtotal = amount_field()
    tax = amount_field()
    taxes = models.JSONField(default=list, help_text="Each tax as the payment processor computed it.")
    total = amount_field()
    credits_applied = amount_field()
    carried = amount_field()
    amount_due = amount_field()
    off_debt = amount_field("Of a credit note: what it took off what the account owed.")
    as_credits = amount_field("Of a credit note: what came back as credits.")
    external_id = models.CharField(max_length=255, blank=True, help_text="What it is of at the payment processor.")
    external_number = models.CharField(max_length=100, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="Printed: why a credit note was issued.")
    seller = models.JSONField(default=dict)
    customer = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    content_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-issued_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["account", "position"], name="invoice_position"),
            models.UniqueConstraint(fields=["account", "kind", "sequence"], name="invoice_sequence"),
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="invoice_external_once"),
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="invoice_total"),
            models.CheckConstraint(
                condition=Q(kind="credit_note")
                | Q(amount_due=F("total") - F("credits_applied") + F("carried"), off_debt=0, as_credits=0),
                name="invoice_amount_due",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice")
                | Q(credits_applied=0, carried=0, amount_due=0, total__lt=0, corrects__isnull=False),
                name="invoice_credit_note",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice")
                | Q(external_id="") & ~Q(reason="processor")
                | ~Q(external_id="") & Q(reason="processor", as_credits=0),
                name="invoice_processor_note",
            ),
            models.CheckConstraint(condition=Q(kind="credit_note") | Q(corrects__isnull=True), name="invoice_corrects"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="invoice_period"),
        ]
        indexes = [models.Index(fields=["account", "kind", "-issued_at", "-id"], name="invoice_of_account")]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(
                name="chained",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=_CHAINED,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def given_back_there(self) -> Decimal:
        """Of a credit note that was made at the processor: what the processor gave back itself."""
        is_theirs = self.kind == self.Kind.CREDIT_NOTE and self.external_id
        return -self.total - self.off_debt if is_theirs else Decimal(0)
