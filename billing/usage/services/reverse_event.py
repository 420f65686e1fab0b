from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from billing.core.ids import encode_id
from billing.credits.models import Grant, LedgerAccount, Transfer
from billing.credits.services.grant_credits import grant_credits
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.subscriptions.models import BillingAccount
from billing.usage.errors import NotReversible
from billing.usage.inputs import RESERVED_KEYS
from billing.usage.models import UsageEvent
from billing.usage.queries import reversal_of
from billing.usage.rows import EventRow, to_json
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def reverse_event(
    *, account_id: UUID, event_id: UUID, reason: str, at: datetime, actor: Actor, most_off_debt: Decimal | None = None
) -> UsageEvent:
    """Take a wrong event back by a reversing one that names it (U3); a second time gives the first reversal.

    Meters and counters go back in the period of the first event. What it was charged is first taken off what the
    account owes, `most_off_debt` at most; the rest comes back as credits. Raises UsageEvent.DoesNotExist, or
    NotReversible for a reversal.
    """
    account = BillingAccount.objects.get(id=account_id)
    list(LedgerAccount.objects.select_for_update(no_key=True).filter(id=account.credits_id))
    event = UsageEvent.objects.get(account_id=account_id, id=event_id)
    if event.reverses_id is not None:
        raise NotReversible("A reversal is not reversed; record the usage again.")
    known = reversal_of(event)
    if known is not None:
        return known
    row = _reversal(event, at)
    with connection.cursor() as cursor:
        cursor.execute("SELECT recorded FROM quaestor_record_usage(%s::json)", [to_json([row])])
    if event.funding in {UsageEvent.Funding.CREDITS, UsageEvent.Funding.INVOICE} and event.cost > 0:
        _give_back(account, event, most_off_debt, at)
    record_audit(
        tenant_id=event.tenant_id,
        actor=actor,
        action="usage_event.reversed",
        target=encode_id("evt", event_id),
        at=at,
        detail={"reason": reason, "cost": f"{event.cost:f}", "reversal": encode_id("evt", row.id)},
    )
    return UsageEvent.objects.get(account_id=account_id, id=row.id)


def _give_back(account: BillingAccount, event: UsageEvent, most: Decimal | None, at: datetime) -> None:
    receivable = LedgerAccount.objects.select_for_update(no_key=True).get(id=account.receivable_id)
    key, name = f"reversal:{event.id}", f"Reversal of {encode_id('evt', event.id)}"
    from_debt = min(event.cost if most is None else min(event.cost, most), max(-receivable.balance, Decimal(0)))
    if from_debt > 0:
        post_transfer(
            debit_account=platform_account(LedgerAccount.Kind.REVENUE, event.currency),
            credit_account=receivable.id,
            amount=from_debt,
            reason=Transfer.Reason.REVERSAL,
            idempotency_key=f"{key}:owed",
            at=at,
            description=name,
        )
    if event.cost > from_debt:
        grant_credits(
            account_id=account.credits_id,
            amount=event.cost - from_debt,
            source=Grant.Source.ADJUSTMENT,
            idempotency_key=key,
            at=at,
            description=name,
            given_back=True,
        )


def _reversal(event: UsageEvent, at: datetime) -> EventRow:
    return EventRow(
        id=uuid7(),
        account_id=event.account_id,
        tenant_id=event.tenant_id,
        workspace_id=event.workspace_id,
        idempotency_key=f"{RESERVED_KEYS}reversal:{encode_id('evt', event.id)}",
        body_digest=bytes(event.body_digest).hex(),
        product=event.product,
        unit=event.unit,
        provider=event.provider,
        model=event.model,
        credential_source=event.credential_source,
        quantity=-event.quantity,
        input_tokens=-event.input_tokens,
        output_tokens=-event.output_tokens,
        cached_input_tokens=-event.cached_input_tokens,
        cost=-event.cost,
        currency=event.currency,
        funding=event.funding,
        office=event.office,
        agent=event.agent,
        session=event.session,
        end_user=event.end_user,
        outcome="reversed",
        occurred_at=event.occurred_at,
        recorded_at=at,
        period_start=event.period_start,
        reverses_id=event.id,
        sandbox=event.sandbox,
        credential_reason=event.credential_reason,
        credential_id=event.credential_id,
    )
