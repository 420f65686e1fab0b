from billing.stripe_sync.admin import copies
from billing.stripe_sync.admin.creators import PayableCreatorAdmin
from billing.stripe_sync.admin.drift import DriftFindingAdmin
from billing.stripe_sync.admin.inbox import InboxEventAdmin
from billing.stripe_sync.admin.usage import InvoiceSettlementAdmin, MeterReportAdmin

__all__ = [
    "DriftFindingAdmin",
    "InboxEventAdmin",
    "InvoiceSettlementAdmin",
    "MeterReportAdmin",
    "PayableCreatorAdmin",
    "copies",
]
