"""Forms of a customer's own controls: overage, caps, e-mails (P8, M9). Amounts are in the account's currency."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict

from billing.console.plain_decimals import PlainDecimalField
from billing.console.service_form import ServiceForm
from billing.core.money import minor_exponent
from billing.subscriptions.control_checks import LARGEST

Data = QueryDict | Mapping[str, Any] | None
_PLACES = 2


class ControlForm(ServiceForm):
    """A form of some of the controls."""

    def __init__(self, data: Data = None, *, currency: str, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial) if initial else None)
        self.currency = currency

    def add_amount(self, name: str, label: str, *, help_text: str = "", required: bool = True) -> None:
        places = min(_PLACES, minor_exponent(self.currency))
        self.fields[name] = PlainDecimalField(
            label=f"{label}, in {self.currency}",
            required=required,
            min_value=Decimal(0),
            max_value=LARGEST,
            decimal_places=places,
            help_text=help_text,
            widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "any"}),
        )


class OverageForm(ControlForm):
    """How much executions past the limit may cost in a period."""

    def __init__(self, data: Data = None, *, currency: str, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, currency=currency, initial=initial)
        self.add_amount("overage_ceiling", "At most per billing period")


class CapsForm(ControlForm):
    """What a day may cost, of all runs and of each user's."""

    def __init__(
        self, data: Data = None, *, currency: str, initial: Mapping[str, Any] | None = None, hints: Mapping[str, str]
    ) -> None:
        """`hints` tell by field what the plan says."""
        super().__init__(data, currency=currency, initial=initial)
        self.add_amount("daily_cap", "All runs of a day", help_text=hints["daily_cap"], required=False)
        self.add_amount(
            "user_daily_cap", "Each user's runs of a day", help_text=hints["user_daily_cap"], required=False
        )


class EmailsForm(ControlForm):
    """Which e-mails are sent."""

    def __init__(self, data: Data = None, *, currency: str, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, currency=currency, initial=initial)
        self.fields["burn_alerts"] = forms.BooleanField(
            label="Tell us when 50, 80 and 100 % of a limit are used", required=False
        )
        self.add_amount(
            "low_balance_threshold",
            "Tell us when the balance falls to",
            help_text="Once, and again after it has recovered. 0 tells when credits are used up.",
        )
