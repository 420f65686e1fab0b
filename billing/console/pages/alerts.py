"""The alerts page: how much of each limit is used, what the customer caps and allows, the alerts (P8, M9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.http import urlencode

from billing.console.alert_queries import costliest_users
from billing.console.control_forms import ControlForm
from billing.console.limit_texts import Share, figure, limit_name
from billing.console.pages.controls import (
    CapsPanel,
    EmailsPanel,
    OveragePanel,
    caps_panel,
    emails_panel,
    overage_panel,
    plan_limits,
)
from billing.console.pages.ledger import Position, write_position
from billing.console.pages.limit_shares import share_of_user, shares_of_standing
from billing.runtime.session_queries import count_live
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import spend_controls, terms_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import alerts_of
from billing.usage.allowances import standing_of
from billing.usage.models import BurnAlert

USERS, ALERTS = 3, 20


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert: at `threshold` percent of a limit. `told`: an e-mail says so; `user` whose cap it was, if a user's."""

    at: datetime
    name: str
    user: str
    threshold: int
    used_text: str
    quota_text: str
    told: bool


@dataclass(frozen=True, slots=True)
class AlertsSlice:
    """Alerts, the newest first, and the address of the next ones; empty at the end."""

    rows: Sequence[AlertRow]
    next_url: str


@dataclass(frozen=True, slots=True)
class AlertsPage:
    """`saved` names the panel whose form was saved just now."""

    plan_name: str
    shares: Sequence[Share]
    overage: OveragePanel
    caps: CapsPanel
    emails: EmailsPanel
    sent: AlertsSlice
    at: datetime
    saved: str


def alerts_page(
    account: BillingAccount,
    at: datetime,
    *,
    forms: Mapping[str, ControlForm] | None = None,
    saved: str = "",
    before: Position | None = None,
) -> AlertsPage:
    """The same queries for any number of alerts and users; `forms` are refused ones by panel. Raises NoActivePlan."""
    forms, terms, controls = forms or {}, terms_of(account.id, at), spend_controls(account.id)
    standing = standing_of(terms, at)
    shares = shares_of_standing(standing, count_live(account.id, at), terms, at)
    return AlertsPage(
        plan_name=terms.plan_name,
        shares=[*shares, *_users(terms, at)],
        overage=overage_panel(controls, terms, at, used=standing.overage, form=forms.get("overage")),
        caps=caps_panel(controls, terms, plan_limits(account, at), form=forms.get("caps")),
        emails=emails_panel(account, controls, form=forms.get("emails")),
        sent=alerts_slice(account, before=before),
        at=at,
        saved=saved,
    )


def alerts_slice(account: BillingAccount, *, before: Position | None = None) -> AlertsSlice:
    """Alerts that were noted, the newest or those before one; one query."""
    alerts = alerts_of(account_id=account.id, limit=ALERTS + 1, before=before)
    shown = alerts[:ALERTS]
    url = ""
    if len(alerts) > ALERTS:
        cursor = write_position(shown[-1].created_at, shown[-1].id)
        url = f"{reverse('console:alerts')}?{urlencode({'before': cursor})}"
    return AlertsSlice([_row(alert, account.currency) for alert in shown], url)


def _users(terms: AccountTerms, at: datetime) -> list[Share]:
    users = costliest_users(terms.account_id, at, limit=USERS)
    shares = (share_of_user(user, used, terms, at) for user, used in users)
    return [share for share in shares if share is not None]


def _row(alert: BurnAlert, currency: str) -> AlertRow:
    return AlertRow(
        at=alert.created_at,
        name=limit_name(alert.feature),
        user=alert.subject,
        threshold=alert.threshold,
        used_text=figure(alert.feature, alert.used, currency),
        quota_text=figure(alert.feature, alert.quota, currency),
        told=alert.told,
    )
