"""Which paid invoices have taken usage off what an account owes (S7)."""

from django.db import models
from django.db.models import F, Q

from billing.subscriptions.models import BillingAccount
from tenants.append_only import append_only


class InvoiceSettlement(models.Model):
    """A paid invoice with metered lines, once for ever, in the account's currency.

    `settled` is what they took off the receivable: less than `metered` where Stripe rounded up, or where usage was
    reversed meanwhile.
    """

    invoice_id = models.CharField(max_length=255, primary_key=True)
    account = models.ForeignKey(BillingAccount, models.PROTECT, related_name="invoice_settlements")
    metered = models.DecimalField(max_digits=38, decimal_places=9)
    settled = models.DecimalField(max_digits=38, decimal_places=9)
    settled_at = models.DateTimeField()

    class Meta:
        ordering = ["-settled_at", "invoice_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(metered__gt=0, settled__gte=0, settled__lte=F("metered")), name="invoicesettlement_amounts"
            )
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return self.invoice_id
