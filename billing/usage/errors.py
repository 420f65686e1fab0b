"""What can go wrong with usage."""


class NotReversible(Exception):
    """The event cannot be taken back by another one."""
