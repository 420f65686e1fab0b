from billing.credits.admin.creators import CreatorAdmin, PayoutAdmin, SaleAdmin
from billing.credits.admin.ledger import GrantAdmin, LedgerAccountAdmin, TransferAdmin
from billing.credits.admin.top_ups import TopUpAdmin

__all__ = [
    "CreatorAdmin",
    "GrantAdmin",
    "LedgerAccountAdmin",
    "PayoutAdmin",
    "SaleAdmin",
    "TopUpAdmin",
    "TransferAdmin",
]
