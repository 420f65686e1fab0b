"""The words by which a run reports what became of its key (K9). `-` and `_` are the same."""

from collections.abc import Mapping
from types import MappingProxyType

OUTCOMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "rate_limited": ("rate_limited", "rate_limit", "rate_limit_error", "rate_limit_exceeded", "too_many_requests"),
        "invalid": (
            *("invalid", "invalid_key", "invalid_api_key", "unauthorized", "unauthenticated", "expired", "revoked"),
            *("auth_failure", "auth_failed", "auth_error", "authentication_error", "authentication_failed"),
        ),
        "quota_exhausted": (
            *("quota_exhausted", "quota", "quota_exceeded", "insufficient_quota"),
            *("insufficient_balance", "payment_required"),
        ),
        "restricted": ("restricted", "forbidden", "permission_denied", "permission_error"),
        "unreachable": ("unreachable", "provider_unreachable"),
    }
)
"""By the health that they speak of."""

_HEALTH = {word: health for health, words in OUTCOMES.items() for word in words}
OUTCOMES_TEXT = (
    "What became of the run; these words change the health of its key, with `-` for `_` too: "
    + "; ".join(
        f"{', '.join(f'`{word}`' for word in words)} (the key is {health})" for health, words in OUTCOMES.items()
    )
    + ". A key is unreachable from the third such report in a row. "
    "Any other word is kept with the usage and says nothing of the key."
)


def health_reported(outcome: str) -> str | None:
    """What a run's outcome says of its key; None where it says nothing."""
    return _HEALTH.get(outcome.replace("-", "_"))
