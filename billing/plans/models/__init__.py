from billing.plans.models.model import Model, ModelPrice
from billing.plans.models.plan import Plan
from billing.plans.models.version import Entitlement, MeterPrice, PlanPrice, PlanVersion

__all__ = ["Entitlement", "MeterPrice", "Model", "ModelPrice", "Plan", "PlanPrice", "PlanVersion"]
