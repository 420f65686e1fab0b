from billing.invoices.models.cycle import BillingCycle
from billing.invoices.models.details import BillingDetails
from billing.invoices.models.invoice import Invoice
from billing.invoices.models.line import InvoiceLine
from billing.invoices.models.payment import InvoicePayment

__all__ = ["BillingCycle", "BillingDetails", "Invoice", "InvoiceLine", "InvoicePayment"]
