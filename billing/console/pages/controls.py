"""What a customer limits and allows of its own accord: overage, caps, e-mails (P8, M9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.console.control_forms import CapsForm, ControlForm, EmailsForm, OverageForm
from billing.console.figures import format_money
from billing.console.limit_texts import EXECUTIONS, percent_of
from billing.core.problems import problem
from billing.notifications.kinds import Category
from billing.notifications.recipients import recipients_of
from billing.subscriptions.models import BillingAccount, SpendControls
from billing.subscriptions.own_caps import overage_price
from billing.subscriptions.queries import effective_limits, subscription_at, terms_of
from billing.subscriptions.terms import AccountTerms, Limit

CAPS = {"daily_cap": "spend_cap_per_day", "user_daily_cap": "spend_cap_per_user_day"}


@dataclass(frozen=True, slots=True)
class OveragePanel:
    """Executions past the limit (P8). `price` is None where the plan sells none, `limit` where it has none.

    `used` is what they have cost in the period that ends at `ends_at`.
    """

    plan_name: str
    currency: str
    price: Decimal | None
    limit: int | None
    is_on: bool
    ceiling: Decimal | None
    used: Decimal
    ends_at: datetime
    form: ControlForm

    @property
    def percent(self) -> int:
        return percent_of(self.used, self.ceiling) if self.ceiling else 0


@dataclass(frozen=True, slots=True)
class OverageQuestion:
    """Whether to pay for executions past the limit: the most that they may cost in a billing period."""

    ceiling: Decimal
    price: Decimal
    limit: int
    currency: str
    ends_at: datetime
    is_change: bool
    in_dialog: bool
    form: OverageForm

    @property
    def executions(self) -> int:
        """How many the ceiling pays for."""
        return int(self.ceiling / self.price) if self.price else 0


@dataclass(frozen=True, slots=True)
class CapRow:
    """One of the caps as it stands: what the plan has, the customer's own, and the lower of them. None is none."""

    name: str
    plan: Decimal | None
    own: Decimal | None

    @property
    def holds(self) -> Decimal | None:
        caps = [cap for cap in (self.plan, self.own) if cap is not None]
        return min(caps) if caps else None


@dataclass(frozen=True, slots=True)
class CapsPanel:
    """The caps of a day."""

    rows: Sequence[CapRow]
    currency: str
    form: ControlForm


@dataclass(frozen=True, slots=True)
class EmailsPanel:
    """Which e-mails are sent, and to whom."""

    burn_alerts: bool
    threshold: Decimal
    currency: str
    recipients: Sequence[str]
    form: ControlForm


def overage_panel(
    controls: SpendControls,
    terms: AccountTerms,
    at: datetime,
    *,
    used: Decimal,
    form: ControlForm | None = None,
) -> OveragePanel:
    """The panel with the form as it was sent, or with the present ceiling."""
    limit = terms.limit(EXECUTIONS).number
    return OveragePanel(
        plan_name=terms.plan_name,
        currency=terms.currency,
        price=overage_price(terms.limits, terms.meters),
        limit=None if limit is None else int(limit),
        is_on=controls.overage_enabled,
        ceiling=controls.overage_ceiling,
        used=used,
        ends_at=terms.period(at).end,
        form=form or OverageForm(currency=terms.currency, initial={"overage_ceiling": controls.overage_ceiling}),
    )


def overage_question(account: BillingAccount, form: OverageForm, at: datetime, *, in_dialog: bool) -> OverageQuestion:
    """What the sender of a valid form has to agree to. Raises Problem where the plan sells none, and NoActivePlan."""
    terms = terms_of(account.id, at)
    price, limit = overage_price(terms.limits, terms.meters), terms.limit(EXECUTIONS).number
    if price is None or limit is None:
        raise problem("overage-not-offered", f"{terms.plan_name} sells no executions past its limit.")
    return OverageQuestion(
        ceiling=form.cleaned_data["overage_ceiling"],
        price=price,
        limit=int(limit),
        currency=terms.currency,
        ends_at=terms.period(at).end,
        is_change=terms.overage is not None,
        in_dialog=in_dialog,
        form=form,
    )


def plan_limits(account: BillingAccount, at: datetime) -> dict[str, Limit]:
    """What the account has without its own caps; three queries. Raises NoActivePlan."""
    subscription = subscription_at(account.id, at)
    return effective_limits(account.id, subscription.plan_version, subscription.seats)


def caps_panel(
    controls: SpendControls, terms: AccountTerms, limits: dict[str, Limit], *, form: ControlForm | None = None
) -> CapsPanel:
    """The panel with the form as it was sent, or with the present caps."""
    rows = [
        CapRow("All runs of a day", _number(limits, CAPS["daily_cap"]), controls.daily_cap),
        CapRow("Each user's runs of a day", _number(limits, CAPS["user_daily_cap"]), controls.user_daily_cap),
    ]
    initial = {name: getattr(controls, name) for name in CAPS}
    hints = cap_hints(terms, limits)
    return CapsPanel(rows, terms.currency, form or CapsForm(currency=terms.currency, initial=initial, hints=hints))


def cap_hints(terms: AccountTerms, limits: dict[str, Limit]) -> dict[str, str]:
    """What the plan says of each cap."""
    return {name: _hint(_number(limits, feature), terms) for name, feature in CAPS.items()}


def emails_panel(account: BillingAccount, controls: SpendControls, *, form: ControlForm | None = None) -> EmailsPanel:
    """The panel with the form as it was sent, or with what is chosen; two queries."""
    limits, balances = (recipients_of(account.tenant_id, about) for about in (Category.USAGE, Category.BALANCE))
    initial = {"burn_alerts": controls.burn_alerts, "low_balance_threshold": account.low_balance_threshold}
    return EmailsPanel(
        burn_alerts=controls.burn_alerts,
        threshold=account.low_balance_threshold,
        currency=account.currency,
        recipients=sorted({*limits, *balances}),
        form=form or EmailsForm(currency=account.currency, initial=initial),
    )


def _number(limits: dict[str, Limit], feature: str) -> Decimal | None:
    return limits[feature].number if feature in limits else None


def _hint(cap: Decimal | None, terms: AccountTerms) -> str:
    if cap is None:
        return "Your plan sets none. Leave it empty for no cap."
    return (
        f"Your plan's cap is {format_money(cap, terms.currency)}. The lower one holds; leave it empty for the plan's."
    )
