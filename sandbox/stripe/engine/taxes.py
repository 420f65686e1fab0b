"""Tax on the invoices of subscriptions, on top of the prices: one rate, or one by the customer's country.

The control API says which; without a rate nothing is taxed.
"""

from decimal import Decimal

from sandbox.stripe.engine.amounts import rounded
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

FACT = "tax_rate"


def tax_rate(state: State, customer_id: str | None) -> Json | None:
    """The rate in force for a customer, None where nothing is taxed."""
    chosen = state.store.fact(FACT)
    rate_id = chosen.get(_country_of(state, customer_id)) if isinstance(chosen, dict) else chosen
    return state.store.get("tax_rate", rate_id) if rate_id else None


def _country_of(state: State, customer_id: str | None) -> str | None:
    customer = state.store.find("customer", customer_id) if customer_id else None
    address: Json = (customer or {}).get("address") or {}
    return address.get("country")


def tax_of(rate: Json, amount: int) -> int:
    """The tax of an amount, both in minor units, rounded half-up; of a credit it is negative."""
    return rounded(Decimal(amount) * Decimal(rate["_percent"]) / 100)


def tax_lines(state: State, invoice: Json) -> None:
    """Tax each line of a subscription's draft at the rate in force, and say what the taxes come to."""
    rate = tax_rate(state, invoice["customer"]) if invoice["parent"] else None
    lines = invoice["lines"]["data"]
    for line in lines:
        line["taxes"] = [_tax(rate, tax_of(rate, line["amount"]), line["amount"])] if rate else []
    taxed = sum(line["amount"] for line in lines)
    taxes = sum(tax["amount"] for line in lines for tax in line["taxes"])
    invoice["default_tax_rates"] = [rate] if rate else []
    invoice["total_taxes"] = [_tax(rate, taxes, taxed)] if rate else []


def _tax(rate: Json, amount: int, taxable: int) -> Json:
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }
