"""Is a key good? A look at its text first, then one call to the provider that costs nothing (K2, K9)."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import structlog
from django.views.decorators.debug import sensitive_variables

from vault.crypto.secret import Secret
from vault.errors import AddressNotAllowed, ProviderUnreachable
from vault.models import Health
from vault.outbound.calls import Answer
from vault.outbound.client import send
from vault.outbound.resolving import Resolve, addresses_of
from vault.providers import NO_KEY, PROVIDERS, Provider, Verdict, base_url_of, provider_of
from vault.providers.answers import invalid, unreachable

_log = structlog.get_logger(__name__)
_LONGEST_KEY = 512
_LONGEST_WAIT = 60 * 60  # seconds
_VISIBLE = re.compile(r"[!-~]+")


def tidy_key(plain: Secret) -> Secret:
    """The key without the white space that copying leaves around it."""
    return Secret(plain.reveal().strip())


def check_key(*, provider: str, plain: Secret, base_url: str, resolve: Resolve = addresses_of) -> Verdict:
    """What the provider says of the key, asked at the tenant's `base_url` where there is one (K2).

    A key that is wrong by its looks is sent nowhere, one of another provider's least of all. A base URL that may not
    be called makes the key invalid; a provider that does not answer, or not as itself, is the verdict `unreachable`.
    Raises UnknownProvider.
    """
    known = provider_of(provider)
    problem = _base_url_problem(known, base_url) or key_problem(known, plain, base_url)
    if problem is not None:
        return invalid(problem)
    try:
        call = known.validation(plain, base_url_of(known, base_url))
        answer = send(call, tenant_supplied=bool(base_url), resolve=resolve)
    except AddressNotAllowed as refusal:
        return invalid(refusal.reason)
    except ProviderUnreachable as failure:
        return unreachable(failure.reason)
    return _read(known, answer)


@sensitive_variables()
def key_problem(provider: Provider, plain: Secret, base_url: str) -> str | None:
    """What is wrong with the key's text, in a sentence; None where nothing is. Nothing is sent anywhere.

    At a base URL of the tenant's own anything may be a key.
    """
    text = plain.reveal()
    if text == NO_KEY and not provider.needs_key:
        return None
    if not _VISIBLE.fullmatch(text):
        return "A key is one word of visible ASCII characters."
    if not provider.shortest_key <= len(text) <= _LONGEST_KEY:
        return f"A key of {provider.name} has {provider.shortest_key} to {_LONGEST_KEY} characters."
    if not base_url and not provider.owns(text):
        owner = next((other for other in PROVIDERS.values() if other.owns(text)), None)
        if owner is not None:
            return f"This is a key of {owner.name}, not of {provider.name}. It was sent to neither."
    return provider.key_problem(text)


def _base_url_problem(provider: Provider, base_url: str) -> str | None:
    if base_url and not provider.takes_base_url:
        return f"{provider.name} has one address; leave the base URL empty."
    if provider.needs_base_url and not base_url:
        return f"{provider.name} needs the base URL of your server."
    return None


def _read(provider: Provider, answer: Answer) -> Verdict:
    verdict = provider.verdict(answer.status, answer.body)
    if verdict.health == Health.UNREACHABLE:
        _log.warning("provider_not_understood", provider=provider.id, status=answer.status)
    if verdict.health == Health.RATE_LIMITED:
        return replace(verdict, retry_after=_seconds(answer.headers.get("retry-after", "")))
    return verdict


def _seconds(retry_after: str) -> int | None:
    """Retry-After as seconds from now, within reason; a number or a date (RFC 9110, 10.2.3)."""
    if re.fullmatch(r"[0-9]{1,9}", retry_after):
        return min(max(int(retry_after), 1), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return min(max(round((moment - datetime.now(UTC)).total_seconds()), 1), _LONGEST_WAIT)
