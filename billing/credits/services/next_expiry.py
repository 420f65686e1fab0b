from uuid import UUID

from django.db.models import F, Min

from billing.credits.models import Grant, LedgerAccount


def remember_next_expiry(*, account_id: UUID) -> None:
    """Note on the account when its next grant with money left expires: spending past that date expires it first."""
    due = Grant.objects.filter(account_id=account_id, amount__gt=F("consumed") + F("expired")).aggregate(
        due=Min("expires_at")
    )["due"]
    LedgerAccount.objects.filter(id=account_id).update(next_expiry_at=due)
