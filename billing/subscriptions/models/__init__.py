from billing.subscriptions.models.account import BillingAccount, WorkspaceBilling
from billing.subscriptions.models.subscription import EntitlementOverride, Subscription

__all__ = ["BillingAccount", "EntitlementOverride", "Subscription", "WorkspaceBilling"]
