"""What can go wrong with credits."""


class TransferConflict(Exception):
    """An idempotency key was used before for another movement."""


class InsufficientCredits(Exception):
    """The account has less to spend than the movement needs."""
