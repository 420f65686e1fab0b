from billing.credits.models.account import LedgerAccount
from billing.credits.models.grant import Grant
from billing.credits.models.payout import Creator, Payout, Sale
from billing.credits.models.top_up import TopUp
from billing.credits.models.transfer import Transfer

__all__ = ["Creator", "Grant", "LedgerAccount", "Payout", "Sale", "TopUp", "Transfer"]
