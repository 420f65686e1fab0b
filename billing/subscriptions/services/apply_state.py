from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.subscriptions.models import Agreement, BillingAccount
from billing.subscriptions.services.follow_agreement import follow_agreement
from billing.subscriptions.state import SubscriptionState

_OVER = (Agreement.Status.CANCELED, Agreement.Status.INCOMPLETE_EXPIRED)


@transaction.atomic
def apply_state(*, account_id: UUID, states: Sequence[SubscriptionState], at: datetime) -> None:
    """Take over all subscriptions that the account has at the processor, as one fresh read, and what they mean (S4).

    The result depends on the read alone, never on which event asked for it or when. An agreement that is not among them
    any more counts as ended. The one that governs is the live one that started first. Raises as `follow_agreement`.
    """
    BillingAccount.objects.select_for_update().get(id=account_id)
    known = {agreement.external_id: agreement for agreement in Agreement.objects.filter(account_id=account_id)}
    for state in states:
        _take_over(account_id, state, known.get(state.external_id), at)
    gone = Agreement.objects.filter(account_id=account_id).exclude(status__in=_OVER)
    gone = gone.exclude(external_id__in=[state.external_id for state in states])
    gone.update(status=Agreement.Status.CANCELED, ended_at=at, synced_at=at)
    _choose_governing(account_id)
    follow_agreement(account_id=account_id, at=at)


def _take_over(account_id: UUID, state: SubscriptionState, known: Agreement | None, at: datetime) -> None:
    facts = asdict(state) | {"past_due_since": _past_due_since(state, known, at), "synced_at": at}
    external_id = facts.pop("external_id")
    Agreement.objects.update_or_create(
        external_id=external_id,
        defaults=facts,
        create_defaults=facts | {"external_id": external_id, "account_id": account_id},
    )


def _past_due_since(state: SubscriptionState, known: Agreement | None, at: datetime) -> datetime | None:
    """When the payment was first seen overdue; kept when the agreement ends of it, forgotten once it is paid."""
    since = known.past_due_since if known is not None else None
    if state.status == Agreement.Status.PAST_DUE:
        return since or at
    return None if state.status in Agreement.LIVE else since


def _choose_governing(account_id: UUID) -> None:
    agreements = Agreement.objects.filter(account_id=account_id)
    first = agreements.filter(status__in=Agreement.LIVE).order_by("started_at", "-governs", "external_id").first()
    if first is not None and first.governs:
        return
    agreements.filter(governs=True).update(governs=False)
    if first is not None:
        agreements.filter(id=first.id).update(governs=True)
