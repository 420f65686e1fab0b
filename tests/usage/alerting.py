"""Accounts whose usage has changed, and what was told of them."""

from datetime import datetime

from billing.notifications.models import Notice
from billing.usage.models import BurnAlert, UsageWatch
from billing.usage.services.watch_usage import watch_usage
from tests.make import AT, Customer
from tests.runtime.limits import use_up


def touch(*customers: Customer) -> None:
    """What folding usage of theirs leaves."""
    rows = [UsageWatch(account_id=customer.account.id, touched_at=AT) for customer in customers]
    UsageWatch.objects.bulk_create(rows, ignore_conflicts=True)


def watch(*customers: Customer, at: datetime = AT) -> int:
    touch(*customers)
    return watch_usage(at=at)


def use(customer: Customer, feature: str, used: str, *, subject: str = "", since: datetime | None = None) -> None:
    """More usage, that the worker then sees."""
    use_up(customer, feature, used, subject=subject, since=since)
    watch(customer, at=since or AT)


def alerts(customer: Customer) -> list[tuple[str, int, bool]]:
    """Feature, threshold and whether it was told, in the order of writing."""
    rows = BurnAlert.objects.filter(account_id=customer.account.id).order_by("created_at", "id")
    return list(rows.values_list("feature", "threshold", "told"))


def mails(customer: Customer) -> list[str]:
    """Subjects without the tenant's name."""
    rows = Notice.objects.filter(tenant=customer.tenant).order_by("created_at", "id")
    return [notice.subject.partition(": ")[2] for notice in rows]


def mail(customer: Customer) -> list[str]:
    """The newest one's paragraphs."""
    notice = Notice.objects.filter(tenant=customer.tenant).order_by("-created_at", "-id").first()
    assert notice is not None
    return notice.body.split("\n\n")
