"""To whom invoices are made out."""

from django.db import models

from billing.subscriptions.models import BillingAccount


class BillingDetails(models.Model):
    """Name, address and tax id of an account's customer, as they are printed on the next invoice.

    An issued invoice has its own copy.
    """

    account = models.OneToOneField(BillingAccount, models.CASCADE, primary_key=True, related_name="details")
    name = models.CharField(max_length=200, blank=True, help_text="The company's or person's legal name.")
    line1 = models.CharField(max_length=200, blank=True)
    line2 = models.CharField(max_length=200, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, two letters.")
    tax_id = models.CharField(max_length=40, blank=True, help_text="Such as a VAT number.")
    reference = models.CharField(max_length=100, blank=True, help_text="Such as a purchase order, printed as it is.")
    revision = models.PositiveIntegerField(default=1, help_text="One more with each change.")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "billing details"

    def __str__(self) -> str:
        return f"{self.account}: {self.name}"
