"""What credits cost by card: the amount, and the platform's fee on top as its own line (M4)."""

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from billing.core.problems import FieldError, Problem, problem
from billing.pricing.fees import payable_decimals, purchase_fee


@dataclass(frozen=True, slots=True)
class TopUpQuote:
    """What a purchase comes to, in `currency`."""

    amount: Decimal
    fee: Decimal
    currency: str

    @property
    def total(self) -> Decimal:
        """What the card is charged."""
        return self.amount + self.fee


def fee_of(amount: Decimal, currency: str) -> Decimal:
    """The platform's fee on top of an amount, rounded half-up to what a card can be charged."""
    return purchase_fee(amount, percent=settings.TOPUP_FEE_PERCENT, currency=currency)


def quote_top_up(amount: Decimal, currency: str) -> TopUpQuote:
    """What credits for `amount` come to. Raises Problem: invalid-request, with what is wrong with the amount."""
    lowest, highest, decimals = settings.TOPUP_MINIMUM, settings.TOPUP_MAXIMUM, payable_decimals(currency)
    if not amount.is_finite() or not lowest <= amount <= highest:
        raise _refusal("out-of-range", f"Buy credits for {lowest} to {highest} {currency} at a time.")
    if amount != round(amount, decimals):
        raise _refusal("too-many-decimals", f"An amount in {currency} has at most {decimals} decimals.")
    amount = amount.quantize(Decimal(1).scaleb(-decimals))
    return TopUpQuote(amount, fee_of(amount, currency), currency)


def _refusal(code: str, detail: str) -> Problem:
    return problem("invalid-request", detail, errors=(FieldError("amount", code, detail),))
