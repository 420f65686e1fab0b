from billing.invoices.admin import cycle, details, invoice, payment

__all__ = ["cycle", "details", "invoice", "payment"]
