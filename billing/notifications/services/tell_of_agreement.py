from datetime import datetime
from uuid import UUID

from billing.notifications.kinds import Kind
from billing.notifications.models import Notice
from billing.notifications.services.tell_tenant import tell_tenant
from billing.subscriptions.agreements import gives_plan, grace_ends_at, latest_subscription
from billing.subscriptions.models import Agreement, BillingAccount, Subscription
from billing.subscriptions.queries import governing_agreement

PAST_DUE, DOWNGRADED, RESTORED = Kind.PLAN_PAST_DUE, Kind.PLAN_DOWNGRADED, Kind.PLAN_RESTORED
CANCELLED, RESUMED, ENDED = Kind.PLAN_CANCELLED, Kind.PLAN_RESUMED, Kind.PLAN_ENDED
_TROUBLE, _PLANNED = (PAST_DUE, DOWNGRADED, RESTORED), (CANCELLED, RESUMED)


def tell_of_agreement(*, account_id: UUID, at: datetime) -> None:
    """Tell the tenant what has become of the account's paid plan, each fact once (S8).

    Reads only where things stand, so that it may be called after any change, again, or late.
    """
    agreement = governing_agreement(account_id) or _last_followed(account_id)
    if agreement is None:
        return
    teller = _Teller(agreement, at)
    if agreement.status == Agreement.Status.CANCELED:
        teller.tell_of_end()
        return
    teller.tell_of_payment()
    teller.tell_of_plans()


def tell_of_overdue_plans(*, at: datetime) -> int:
    """The same for every account whose payment is overdue: the end of a grace is no event; answers how many."""
    overdue = Agreement.objects.filter(status=Agreement.Status.PAST_DUE, governs=True)
    accounts = list(overdue.values_list("account_id", flat=True))
    for account_id in accounts:
        tell_of_agreement(account_id=account_id, at=at)
    return len(accounts)


def _last_followed(account_id: UUID) -> Agreement | None:
    """The agreement that the account's plan came from last; never one that was paid twice by mistake."""
    followed = Subscription.objects.filter(account_id=account_id, agreement__isnull=False).order_by("-starts_at")
    last = followed.select_related("agreement__plan_version__plan").first()
    return last.agreement if last is not None else None


class _Teller:
    """Finds out what of one agreement the tenant does not know yet, and tells them."""

    def __init__(self, agreement: Agreement, at: datetime) -> None:
        self.agreement, self.at = agreement, at
        self.account = BillingAccount.objects.select_related("tenant").get(id=agreement.account_id)
        self.plan = agreement.plan_version.plan.name

    def tell_of_payment(self) -> None:
        """Overdue with the end of its grace, downgraded for it, paid after all."""
        agreement, last = self.agreement, self._last(_TROUBLE)
        if agreement.status == Agreement.Status.ACTIVE and last is not None and last.kind != RESTORED:
            self._tell(RESTORED, last.key.rpartition(":")[2], f"{self.plan} is paid again", _RESTORED)
        since = agreement.past_due_since
        if since is None:
            return
        ends_at, now = grace_ends_at(agreement), f"{since:%Y%m%d%H%M%S%f}"
        if ends_at is not None:
            self._tell(PAST_DUE, now, f"The payment for {self.plan} is overdue", _PAST_DUE.format(until=_day(ends_at)))
        if not gives_plan(agreement, self.at):
            self._tell(DOWNGRADED, now, f"{self.plan} has been suspended", _DOWNGRADED.format(plan=self._present()))

    def tell_of_plans(self) -> None:
        """To end with the period, or to go on after all."""
        agreement, last = self.agreement, self._last(_PLANNED)
        is_told = last is not None and last.kind == CANCELLED
        number = Notice.objects.filter(key__startswith=self._key(RESUMED, "")).count()
        if agreement.cancel_at is not None:
            key = f"{number}-{agreement.cancel_at:%Y%m%d%H%M%S}"
            self._tell(CANCELLED, key, f"{self.plan} is cancelled", _CANCELLED.format(until=_day(agreement.cancel_at)))
        elif is_told:
            renews = _day(agreement.period_end)
            self._tell(RESUMED, str(number), f"{self.plan} goes on", _RESUMED.format(renews=renews))

    def tell_of_end(self) -> None:
        """Over, as it was asked for or for want of payment."""
        why = "" if self.agreement.past_due_since is None else " because the payment for it did not arrive"
        self._tell(ENDED, "end", f"{self.plan} has ended", _ENDED.format(why=why, plan=self._present()))

    def _present(self) -> str:
        present = latest_subscription(self.agreement.account_id)
        return present.plan_version.plan.name if present is not None else "no plan"

    def _last(self, kinds: tuple[str, ...]) -> Notice | None:
        """The newest notice of one of these kinds about this agreement."""
        told = Notice.objects.filter(tenant_id=self.account.tenant_id, kind__in=kinds)
        return told.filter(key__contains=f":{self.agreement.id.hex}:").order_by("-created_at", "-id").first()

    def _key(self, kind: str, of: str) -> str:
        return f"{kind}:{self.agreement.id.hex}:{of}"

    def _tell(self, kind: str, of: str, subject: str, text: str) -> None:
        tell_tenant(
            tenant_id=self.account.tenant_id,
            kind=kind,
            key=self._key(kind, of),
            subject=f"{self.account.tenant.name}: {subject}",
            body=f"Billing account “{self.account.name}”, plan {self.plan}.\n\n{text}",
            at=self.at,
        )


def _day(at: datetime) -> str:
    return f"{at:%d %B %Y, %H:%M} UTC"


_PAST_DUE = (
    "The last payment for this plan did not arrive. You keep the plan until {until}; after that the account moves to "
    "the free plan until it does.\n\nPlease update the card, or pay the open invoice, in the billing portal."
)
_DOWNGRADED = (
    "The payment for this plan is still missing, so the account is on {plan} now. Nothing is deleted.\n\n"
    "As soon as the open invoice is paid in the billing portal the paid plan is back."
)
_RESTORED = "The payment has arrived, thank you. The paid plan is in force without restriction."
_CANCELLED = (
    "The plan will not renew. You keep it, with all its allowances, until {until}; then the account moves to the free "
    "plan.\n\nUntil then you can take the cancellation back in the console or in the billing portal."
)
_RESUMED = "The cancellation was taken back. The plan renews on {renews}."
_ENDED = "The plan has ended{why}. The account is on {plan} now. You can choose a plan again at any time."
