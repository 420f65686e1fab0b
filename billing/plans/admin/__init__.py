from billing.plans.admin.model import ModelAdmin, ModelPriceAdmin
from billing.plans.admin.plan import PlanAdmin
from billing.plans.admin.version import PlanVersionAdmin

__all__ = ["ModelAdmin", "ModelPriceAdmin", "PlanAdmin", "PlanVersionAdmin"]
