from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing.notifications.kinds import Kind
from billing.notifications.services.publish_events import publish_events
from billing.notifications.services.tell_tenants import Message, tell_tenants
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import THRESHOLDS, Burn
from billing.usage.burn_texts import news_of
from billing.usage.events_told import fact_of_burn
from billing.usage.models import BurnAlert

KIND = Kind.QUOTA_BURN
_Window = tuple[UUID, str, datetime]


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit of which a share is used, or that has `refused` a run; the account's tenant is read with it."""

    account: BillingAccount
    terms: AccountTerms
    burn: Burn
    refused: bool = False

    @property
    def window(self) -> _Window:
        return self.account.id, self.burn.feature, self.burn.window.start

    @property
    def thresholds(self) -> Iterator[int]:
        """The shares that are passed; of a user's cap, and by a refusal, the whole of it."""
        if self.refused or self.burn.subject:
            return iter((100,) if self.refused or self.burn.has_passed(100) else ())
        return (share for share in THRESHOLDS if self.burn.has_passed(share))


def write_alerts(findings: Sequence[Finding], *, at: datetime) -> int:
    """Write down each share of a limit that was passed, once a window, with an e-mail (M9) and an event (N1); answers
    how many are new.

    Of several that are new at once the highest is told, and none below one that is known already. Of the users of an
    account that reach their caps in a day the first is written of, and where the customer wants no alerts none is;
    programs are told all the same. The same number of queries for any number, in the transaction of the caller.
    """
    known = _known(findings) if findings else {}
    alerts: dict[UUID, tuple[Finding, BurnAlert]] = {}
    news: set[UUID] = set()
    for finding in findings:
        seen = known[finding.window]
        mine = {threshold for subject, threshold, _ in seen if subject == finding.burn.subject}
        new = [threshold for threshold in finding.thresholds if threshold not in mine]
        is_news = bool(new) and max(new) >= max(mine, default=0)
        is_told = is_news and _is_told(finding, seen)
        for threshold in new:
            alert = _alert(finding, threshold, told=is_told and threshold == max(new), at=at)
            alerts[alert.id] = finding, alert
            seen.add((alert.subject, threshold, alert.told))
            if is_news and threshold == max(new):
                news.add(alert.id)
    if alerts:
        BurnAlert.objects.bulk_create([alert for _, alert in alerts.values()], ignore_conflicts=True)
        written = BurnAlert.objects.filter(id__in=news).order_by("id").values_list("id", flat=True)
        _tell([alerts[alert_id] for alert_id in written], at)
    return len(alerts)


def _tell(news: Sequence[tuple[Finding, BurnAlert]], at: datetime) -> None:
    tell_tenants([_message(finding, alert) for finding, alert in news if alert.told], at=at)
    facts = [fact_of_burn(finding.account, finding.terms, finding.burn, alert) for finding, alert in news]
    publish_events(facts, at=at)


def _known(findings: Sequence[Finding]) -> defaultdict[_Window, set[tuple[str, int, bool]]]:
    """Alerts that there are of these limits' windows: user, threshold, and whether it was told."""
    rows = BurnAlert.objects.filter(
        account_id__in={finding.account.id for finding in findings},
        feature__in={finding.burn.feature for finding in findings},
        window_start__in={finding.burn.window.start for finding in findings},
    )
    known: defaultdict[_Window, set[tuple[str, int, bool]]] = defaultdict(set)
    for account_id, feature, start, subject, threshold, told in rows.values_list(
        "account_id", "feature", "window_start", "subject", "threshold", "told"
    ):
        known[account_id, feature, start].add((subject, threshold, told))
    return known


def _is_told(finding: Finding, seen: set[tuple[str, int, bool]]) -> bool:
    """By e-mail."""
    if not finding.terms.burn_alerts:
        return False
    return not finding.burn.subject or not any(told for _, _, told in seen)


def _alert(finding: Finding, threshold: int, *, told: bool, at: datetime) -> BurnAlert:
    burn = finding.burn
    return BurnAlert(
        account_id=finding.account.id,
        tenant_id=finding.account.tenant_id,
        feature=burn.feature,
        subject=burn.subject,
        window_start=burn.window.start,
        threshold=threshold,
        used=burn.used,
        quota=burn.quota,
        told=told,
        created_at=at,
    )


def _message(finding: Finding, alert: BurnAlert) -> Message:
    account = finding.account
    news = news_of(account, finding.terms, finding.burn, threshold=alert.threshold, refused=finding.refused)
    return Message(
        tenant_id=account.tenant_id,
        kind=KIND,
        # Without the user: one e-mail a day for all of them, also where two reach their caps at the same instant.
        key=f"{KIND}:{account.id.hex}:{alert.feature}:{alert.window_start:%Y%m%d%H%M%S}:{alert.threshold}",
        subject=f"{account.tenant.name}: {news.subject}",
        body=news.text,
    )
