from billing.stripe_sync.admin import copies
from billing.stripe_sync.admin.drift import DriftFindingAdmin
from billing.stripe_sync.admin.inbox import InboxEventAdmin

__all__ = ["DriftFindingAdmin", "InboxEventAdmin", "copies"]
