from billing.invoices.admin import cycle, details, invoice, payment, usage_event

__all__ = ["cycle", "details", "invoice", "payment", "usage_event"]
