from billing.credits.models.account import LedgerAccount
from billing.credits.models.grant import Grant
from billing.credits.models.transfer import Transfer

__all__ = ["Grant", "LedgerAccount", "Transfer"]
