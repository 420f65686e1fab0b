from datetime import datetime
from decimal import Decimal
from uuid import UUID

from billing.credits.models import LedgerAccount, TopUp


def open_top_up(*, account_id: UUID, amount: Decimal, fee: Decimal, at: datetime) -> TopUp:
    """Write down that a customer wants to buy credits for `amount`, with `fee` on top, in its account's currency (M4).

    Nothing moves before it is paid; see credit_top_up.
    """
    account = LedgerAccount.objects.get(id=account_id, kind=LedgerAccount.Kind.CREDITS)
    return TopUp.objects.create(account=account, amount=amount, fee=fee, currency=account.currency, created_at=at)
