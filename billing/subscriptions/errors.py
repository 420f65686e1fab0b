"""What can go wrong with accounts and subscriptions."""


class NoActivePlan(Exception):
    """The account has no subscription at the instant asked for."""


class UnknownPlan(Exception):
    """No plan with this slug, interval and variant is published."""
