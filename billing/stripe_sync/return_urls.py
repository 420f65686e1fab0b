"""Where Stripe's pages may send people back to (S2, S3)."""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from billing.core.problems import Problem, problem

_PORTS = {"http": 80, "https": 443}
_LONGEST = 2000
# Browsers skip control characters and read a backslash as a slash: no two parsers agree on an address with these.
_DISPUTED = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")


def require_allowed(url: str) -> None:
    """Check that the address begins with one of BILLING_RETURN_ORIGINS, exactly: scheme, host and port.

    Raises Problem: billing-return-url-not-allowed.
    """
    origin = _origin(url)
    if origin is None:
        raise _refusal("A return address is an absolute http or https address without a user name.")
    if origin not in {_origin(allowed) for allowed in settings.BILLING_RETURN_ORIGINS}:
        raise _refusal(f"Nobody is sent back to {origin[0]}://{origin[1]}:{origin[2]}.")


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no plain web address."""
    if len(url) > _LONGEST or _DISPUTED.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or _has_credentials(parts):
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]


def _has_credentials(parts: SplitResult) -> bool:
    return "@" in parts.netloc


def _refusal(detail: str) -> Problem:
    return problem(
        "billing-return-url-not-allowed",
        detail,
        remedy="Use an address of the console, or ask who runs it to add the origin to BILLING_RETURN_ORIGINS.",
    )
