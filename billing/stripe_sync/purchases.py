"""Reading purchases of credits together with the pages that they are paid on."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from billing.credits.models import TopUp
from billing.stripe_sync.models import CheckoutSession


@dataclass(frozen=True, slots=True)
class Purchase:
    """A purchase of credits; `url` is the page to pay it on, None where it cannot be paid any more."""

    top_up: TopUp
    url: str | None


def purchases_of(*, credits_id: UUID, limit: int, before: tuple[datetime, UUID] | None, at: datetime) -> list[Purchase]:
    """The newest purchases of a credits account, those before a position (creation time, id) of the list; one query."""
    rows = _purchases().filter(account_id=credits_id)
    if before is not None:
        created_at, top_up_id = before
        rows = rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=top_up_id))
    return [_purchase(top_up, at) for top_up in rows[:limit]]


def find_purchase(*, tenant_id: UUID, workspace_id: UUID | None, top_up_id: UUID, at: datetime) -> Purchase | None:
    """A purchase of any of the tenant's accounts, or of the one that pays for the workspace; one query."""
    rows = _purchases().filter(id=top_up_id, account__credits_of__tenant_id=tenant_id)
    if workspace_id is not None:
        rows = rows.filter(account__credits_of__workspace_links__workspace_id=workspace_id)
    top_up = rows.first()
    return _purchase(top_up, at) if top_up is not None else None


def _purchases() -> QuerySet[TopUp]:
    return TopUp.objects.select_related("checkout").order_by("-created_at", "-id")


def _purchase(top_up: TopUp, at: datetime) -> Purchase:
    page: CheckoutSession | None = getattr(top_up, "checkout", None)
    payable = (
        page is not None
        and top_up.state == TopUp.State.OPEN
        and page.state == CheckoutSession.State.OPEN
        and (page.expires_at is None or page.expires_at > at)
    )
    return Purchase(top_up, page.url if page is not None and payable else None)
