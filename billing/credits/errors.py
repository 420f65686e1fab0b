"""What can go wrong with credits."""


class TransferConflict(Exception):
    """An idempotency key was used before for another movement."""


class InsufficientCredits(Exception):
    """The account has less to spend than the movement needs."""


class PaymentMismatch(Exception):
    """Another amount was paid than the purchase asks for."""


class PayoutRefused(Exception):
    """A creator cannot be paid now: nothing is owed, a payout is on its way, or the processor does not let it."""
