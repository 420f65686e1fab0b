"""What can go wrong with accounts and subscriptions."""


class NoActivePlan(Exception):
    """The account has no subscription at the instant asked for."""


class UnknownPlan(Exception):
    """No plan with this slug, interval and variant is published."""


class PlanUnchanged(Exception):
    """The account is on this plan, on these terms, already."""


class ChangeAhead(Exception):
    """The account has a subscription that begins later, which the change would run into."""


class AgreementGoverns(Exception):
    """The account's plan follows what it pays for at the payment processor, and has to be changed there."""
