from billing.runtime.models.authorization import Authorization

__all__ = ["Authorization"]
