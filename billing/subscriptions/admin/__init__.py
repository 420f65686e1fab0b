from billing.subscriptions.admin.account import BillingAccountAdmin
from billing.subscriptions.admin.customer import CustomerAdmin
from billing.subscriptions.admin.override import EntitlementOverrideAdmin
from billing.subscriptions.admin.subscription import SubscriptionAdmin, WorkspaceBillingAdmin

__all__ = [
    "BillingAccountAdmin",
    "CustomerAdmin",
    "EntitlementOverrideAdmin",
    "SubscriptionAdmin",
    "WorkspaceBillingAdmin",
]
