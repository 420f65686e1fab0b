from billing.runtime.admin import authorization, budget, session

__all__ = ["authorization", "budget", "session"]
