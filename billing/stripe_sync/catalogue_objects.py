"""What stands for the catalogue at Stripe, and by which names it is found again (S1)."""

from billing.plans.models import Plan, PlanPrice

INTERVALS = {PlanPrice.Interval.MONTHLY: "month", PlanPrice.Interval.YEARLY: "year"}
"""Stripe's words for our intervals."""

_METERED_NAMES = {
    "pstn": "Telephone minutes",
    "kb_storage": "Knowledge base storage",
    "callbacks": "Callbacks",
    "compute": "Compute seconds",
    "requests": "Requests",
    "executions": "Executions over the allowance",
}


def product_id(plan: Plan) -> str:
    """The id of a plan's product: ours to choose, so that it is found without a search."""
    return f"quaestor_{plan.slug}"


def lookup_key(price: PlanPrice) -> str:
    """The name of a plan version's price; needs `version.plan` at hand."""
    version = price.version
    return f"quaestor:{version.plan.slug}:v{version.number}:{price.interval}:{price.variant}"


def meter_event_name(product: str, currency: str) -> str:
    """What the readings of a metered product are called, which is the name of its meter too (S7)."""
    return f"quaestor_{product}_{currency.lower()}"


def meter_product_id(product: str, currency: str) -> str:
    """The product of a meter's price. A plan's slug has no underscore, so that no plan's product is called so."""
    return f"quaestor_meter_{product}_{currency.lower()}"


def meter_lookup_key(product: str, currency: str) -> str:
    """The name of a meter's price."""
    return f"quaestor:meter:{product}:{currency.lower()}"


def metered_name(product: str) -> str:
    """What a metered product is called on Stripe's invoices."""
    return _METERED_NAMES.get(product, product)
