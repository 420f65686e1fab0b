from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from billing.credits.errors import TransferConflict
from billing.credits.models import Creator, LedgerAccount, Sale, Transfer
from billing.credits.services.expire_grants import expire_grants
from billing.credits.services.open_ledger_account import platform_account
from billing.credits.services.post_transfer import post_transfer
from billing.pricing.fees import creator_share, payable_decimals
from tenants.services.record_audit import Actor, record_audit


@transaction.atomic
def record_sale(
    *,
    creator_id: UUID,
    buyer_id: UUID,
    buyer_tenant_id: UUID,
    item: str,
    amount: Decimal,
    idempotency_key: str,
    at: datetime,
    actor: Actor,
) -> Sale:
    """Sell a creator's item for credits, split 80/20 between the creator and the platform; the same key again gives the
    first sale (M10).

    `buyer_id` is the credits account that pays, in its currency, which is the creator's. Raises ValueError for an
    amount or currency that cannot be paid out, InsufficientCredits, and TransferConflict when the key stands for
    another sale.
    """
    buyer = LedgerAccount.objects.select_for_update(no_key=True).get(id=buyer_id, kind=LedgerAccount.Kind.CREDITS)
    creator = Creator.objects.select_related("payable").get(id=creator_id)
    known = Sale.objects.filter(idempotency_key=idempotency_key).first()
    if known is not None:
        return _same(known, (creator_id, buyer_id, item, amount))
    _check(amount, buyer, creator)
    expire_grants(account_id=buyer_id, at=at)
    sale = Sale(
        id=uuid7(),
        creator=creator,
        buyer=buyer,
        item=item,
        amount=amount,
        creator_share=creator_share(amount, buyer.currency),
        currency=buyer.currency,
        idempotency_key=idempotency_key,
        created_at=at,
    )
    _move(sale)
    sale.save(force_insert=True)
    for tenant_id in {creator.tenant_id, buyer_tenant_id}:
        _record(sale, tenant_id, actor)
    return sale


def _same(known: Sale, asked: tuple[UUID, UUID, str, Decimal]) -> Sale:
    if (known.creator_id, known.buyer_id, known.item, known.amount) != asked:
        raise TransferConflict(f"The key {known.idempotency_key!r} stands for another sale.")
    return known


def _check(amount: Decimal, buyer: LedgerAccount, creator: Creator) -> None:
    if buyer.currency != creator.payable.currency:
        raise ValueError(f"The buyer pays in {buyer.currency}, the creator is paid in {creator.payable.currency}.")
    decimals = payable_decimals(buyer.currency)
    if amount <= 0 or amount != round(amount, decimals):
        raise ValueError(f"A price in {buyer.currency} is above zero and has at most {decimals} decimals.")


def _move(sale: Sale) -> None:
    revenue = platform_account(LedgerAccount.Kind.REVENUE, sale.currency)
    shares = {"creator": sale.creator_share, "platform": sale.amount - sale.creator_share}
    for side, account_id in (("creator", sale.creator.payable_id), ("platform", revenue)):
        if shares[side] > 0:
            post_transfer(
                debit_account=sale.buyer_id,
                credit_account=account_id,
                amount=shares[side],
                reason=Transfer.Reason.SALE,
                idempotency_key=f"sale:{sale.id}:{side}",
                at=sale.created_at,
                description=sale.item,
            )


def _record(sale: Sale, tenant_id: UUID, actor: Actor) -> None:
    record_audit(
        tenant_id=tenant_id,
        actor=actor,
        action="sale.recorded",
        target=str(sale.id),
        at=sale.created_at,
        detail={
            "item": sale.item,
            "amount": f"{sale.amount:f}",
            "creator_share": f"{sale.creator_share:f}",
            "currency": sale.currency,
        },
    )
