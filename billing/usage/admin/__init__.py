from billing.usage.admin import alert, counter, event

__all__ = ["alert", "counter", "event"]
