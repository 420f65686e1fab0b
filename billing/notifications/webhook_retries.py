"""When a webhook that failed is tried again (N1)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom

_WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
MOST_TRIES = len(_WAITS) + 1
"""Within about a day."""
LONGEST_REST = timedelta(hours=1)
"""As long as an endpoint may ask for."""
GIVEN_UP_AFTER = timedelta(days=3)
"""An endpoint is disabled after so long with nothing but failures."""
_JITTER = 0.1  # of the wait, sooner or later: what failed together need not come back together
_random = SystemRandom()


def wait_after(tries: int, *, asked: timedelta | None = None) -> timedelta | None:
    """How long to wait after so many tries, or as long as the endpoint asked for if that is longer; None: no more."""
    if tries >= MOST_TRIES:
        return None
    wait = _WAITS[tries - 1] * _random.uniform(1 - _JITTER, 1 + _JITTER)
    return wait if asked is None else max(wait, asked)


def asked_rest(retry_after: str, *, at: datetime) -> timedelta | None:
    """What the header Retry-After asks for, an hour at most: seconds or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return min(timedelta(seconds=int(retry_after)), LONGEST_REST)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment - at, timedelta(0)), LONGEST_REST)
