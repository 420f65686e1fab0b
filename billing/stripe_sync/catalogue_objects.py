"""What stands for the catalogue at Stripe, and by which names it is found again (S1)."""

from decimal import Decimal

from billing.core.money import minor_exponent
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

_MINOR_UNITS = {"USD": "US cent", "EUR": "euro cent", "GBP": "penny"}


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
    """What is metered, in words."""
    return _METERED_NAMES.get(product, product)


def metered_line_name(product: str) -> str:
    """What Checkout, the portal and invoices call the line: it is no item that is sold by the piece (S7)."""
    return f"{metered_name(product)}: metered usage"


def minor_unit(currency: str) -> str:
    """What a meter counts, in words; Stripe takes twelve letters at most."""
    return _MINOR_UNITS.get(currency) or f"{Decimal(1).scaleb(-minor_exponent(currency)):f} {currency}"


def metered_line_note(currency: str) -> str:
    """What the unit and its price on that line mean: not a call or a minute, but money (S7)."""
    return (
        f"Usage is rated at your plan's prices, less what the plan includes, and counted here in money: "
        f"1 {minor_unit(currency)} is one unit."
    )
