"""What lines of invoices call what was used."""

from billing.core.periods import Period
from billing.invoices.documents.formats import span

_PRODUCTS = {
    "llm": "Model usage",
    "pstn": "Telephone minutes",
    "kb_storage": "Knowledge base storage",
    "callbacks": "Scheduled callbacks",
    "compute": "Compute time",
    "requests": "Requests",
    "executions": "Executions past the plan’s limit",
}
_PAID_ELSEWHERE = {"included": "included in the plan", "provider": "on your own provider keys"}


def usage_text(product: str, funding: str) -> str:
    """A product, and who else than the invoice pays for it."""
    name = _PRODUCTS.get(product, product)
    elsewhere = _PAID_ELSEWHERE.get(funding)
    return f"{name}, {elsewhere}" if elsewhere else name


def adjustment_text(product: str, period: Period) -> str:
    """Usage that was recorded after its period had been invoiced (U6)."""
    return f"{usage_text(product, '')} of {span(period.start, period.end)}, recorded later"


def correction_text(product: str, period: Period) -> str:
    """Usage that was taken back."""
    return f"{usage_text(product, '')} of {span(period.start, period.end)}, taken back"
