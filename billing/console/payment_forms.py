"""Forms that lead to a payment."""

from decimal import Decimal

from django import forms
from django.conf import settings
from django.http import QueryDict

from billing.console.figures import format_money
from billing.console.plain_decimals import PlainDecimalField
from billing.plans.models import PlanPrice
from billing.pricing.fees import payable_decimals
from billing.stripe_sync.changes import Expected, Target
from billing.stripe_sync.plan_offers import MOST_SEATS

_TERMS = [
    (f"{interval}-{variant}", f"{interval} {variant}")
    for interval in PlanPrice.Interval
    for variant in PlanPrice.Variant
]


class TargetForm(forms.Form):
    """Which plan, how often paid, on whose keys, for how many seats."""

    plan = forms.SlugField(max_length=63)
    terms = forms.ChoiceField(choices=_TERMS)
    seats = forms.IntegerField(min_value=1, max_value=MOST_SEATS, required=False)

    def target(self) -> Target:
        """Of a valid form."""
        interval, variant = self.cleaned_data["terms"].split("-")
        return Target(self.cleaned_data["plan"], interval, variant, self.cleaned_data["seats"] or 1)


class ConfirmForm(TargetForm):
    """The same, with what the page showed: `net` and `prorated_at` of the preview, `key` of the button."""

    key = forms.UUIDField()
    net = forms.DecimalField(required=False, max_digits=14)
    prorated_at = forms.DateTimeField(required=False)

    def expected(self) -> Expected:
        """Of a valid form: what its sender agreed to."""
        return Expected(self.cleaned_data["net"] or Decimal(0), self.cleaned_data["prorated_at"])


class TopUpForm(forms.Form):
    """How many credits to buy, in the account's currency; the fee comes on top."""

    def __init__(self, data: QueryDict | dict[str, str] | None = None, *, currency: str) -> None:
        super().__init__(data)
        low, high = settings.TOPUP_MINIMUM, settings.TOPUP_MAXIMUM
        self.fields["amount"] = PlainDecimalField(
            label=f"Amount in {currency}",
            min_value=low,
            max_value=high,
            max_digits=12,
            decimal_places=payable_decimals(currency),
            help_text=f"From {format_money(low, currency)} to {format_money(high, currency)}.",
        )

    def amount(self) -> Decimal | None:
        """What is asked for, if it will do."""
        return self.cleaned_data["amount"] if self.is_valid() else None


class BuyForm(TopUpForm):
    """The same from the button, with the button's key."""

    key = forms.UUIDField()
