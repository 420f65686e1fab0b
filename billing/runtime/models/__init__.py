from billing.runtime.models.authorization import Authorization
from billing.runtime.models.budget import BudgetWindow, ProviderBudget
from billing.runtime.models.session import Session

__all__ = ["Authorization", "BudgetWindow", "ProviderBudget", "Session"]
