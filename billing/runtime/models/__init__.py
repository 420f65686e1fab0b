from billing.runtime.models.authorization import Authorization
from billing.runtime.models.budget import BudgetWindow, ProviderBudget

__all__ = ["Authorization", "BudgetWindow", "ProviderBudget"]
