from billing.usage.admin import alert, counter, event, rollup

__all__ = ["alert", "counter", "event", "rollup"]
