from billing.subscriptions.models.account import BillingAccount, FormerAccount, WorkspaceBilling
from billing.subscriptions.models.agreement import Agreement
from billing.subscriptions.models.change import SubscriptionChange
from billing.subscriptions.models.controls import SpendControls
from billing.subscriptions.models.subscription import EntitlementOverride, Subscription

__all__ = [
    "Agreement",
    "BillingAccount",
    "EntitlementOverride",
    "FormerAccount",
    "SpendControls",
    "Subscription",
    "SubscriptionChange",
    "WorkspaceBilling",
]
