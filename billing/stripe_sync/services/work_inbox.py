from datetime import datetime


def work_inbox(*, at: datetime, limit: int = 100) -> int:
    """Work through the events that are due; answers how many were done."""
    return 0
