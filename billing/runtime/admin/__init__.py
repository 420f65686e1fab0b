from billing.runtime.admin import authorization, budget

__all__ = ["authorization", "budget"]
