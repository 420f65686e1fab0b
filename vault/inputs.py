"""What people give of a key besides its text, and what of it is refused."""

import re
from datetime import datetime, timedelta

from django.views.decorators.debug import sensitive_variables

from vault.crypto.redaction import parts_of, shows_a_key
from vault.crypto.secret import Secret
from vault.errors import HoldsKey, InvalidValue
from vault.outbound.addresses import check_base_url
from vault.providers import Provider

_LONGEST_NAME = 100
_SHORTEST_SECRET = 8  # a shorter token, such as a proxy's "ollama", is a word that stands in names and addresses anyway
# Keys without a form of their own, as some providers have them; in an id they are no secret, in a name they may be.
_BARE_KEY = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?![0-9a-z])",
    re.IGNORECASE,
)
_HEAVIEST = 1000
_LONGEST_OVERLAP = timedelta(days=30)


@sensitive_variables()
def check_name(name: str, plain: Secret | None = None) -> None:
    """Raises InvalidValue; HoldsKey for a name with a key in it, or half of one, which many may read (K2)."""
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidValue("name", f"A name has at most {_LONGEST_NAME} characters, in one line.")
    if may_be_a_key(name) or (plain is not None and repeats(name, plain)):
        raise HoldsKey("name", "This name looks like a key. A name is shown to others: choose another.")


@sensitive_variables()
def base_url_for(provider: Provider, base_url: str, plain: Secret, *, is_platform: bool) -> str:
    """The tenant's own address in its one spelling, or none. Raises InvalidValue, HoldsKey, AddressNotAllowed (K3)."""
    base_url = base_url.strip()
    if not base_url:
        if provider.needs_base_url:
            raise InvalidValue("base_url", f"{provider.name} needs the base URL of your server.")
        return ""
    if is_platform or not provider.takes_base_url:
        raise InvalidValue("base_url", f"{provider.name} has one address; leave the base URL empty.")
    if shows_a_key(base_url) or repeats(base_url, plain):
        raise HoldsKey("base_url", "The base URL contains a key; leave it out there.")
    return check_base_url(base_url)


def may_be_a_key(text: str) -> bool:
    """Whether a name shows a key, or digits as some providers' keys are made of alone."""
    return shows_a_key(text) or _BARE_KEY.search(text) is not None


@sensitive_variables()
def repeats(text: str, plain: Secret) -> bool:
    """Whether a text that many may read holds the key, or a half of a user:password pair, in capitals or not."""
    shown = text.casefold()
    return any(len(part) >= _SHORTEST_SECRET and part.casefold() in shown for part in parts_of(plain.reveal()))


def check_weight(weight: int) -> None:
    """A platform key's share. Raises InvalidValue."""
    if not 1 <= weight <= _HEAVIEST:
        raise InvalidValue("weight", f"A weight is a whole number from 1 to {_HEAVIEST}.")


def check_expiry(expires_at: datetime | None, at: datetime) -> None:
    """Raises InvalidValue for an end that is over."""
    if expires_at is not None and expires_at <= at:
        raise InvalidValue("expires_at", "The key would have expired already.")


def check_overlap(overlap: timedelta) -> None:
    """Raises InvalidValue."""
    if not timedelta(0) <= overlap <= _LONGEST_OVERLAP:
        raise InvalidValue("overlap_hours", f"A replaced key is kept for at most {_LONGEST_OVERLAP.days} days.")
