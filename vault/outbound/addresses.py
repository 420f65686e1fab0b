"""Addresses that tenants enter, base URLs of models and targets of webhooks: which ones we connect to (K3, N1)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from vault.errors import AddressNotAllowed, Unanswered
from vault.models import AllowedHost
from vault.outbound.networks import Address, is_public
from vault.outbound.resolving import Resolve, addresses_of

_LONGEST = 300  # of the column
_PORTS = {"http": 80, "https": 443}
_VISIBLE = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # what resolvers take for (a part of) an IPv4 address
_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)*")
_TARGET = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "corp", "svc", "test", "invalid", "onion")


@dataclass(frozen=True)
class Origin:
    """Where a URL leads: host names in lower case and without a final dot, IPv6 without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def written_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def netloc(self) -> str:
        """Host and port as in the URL: the usual port is left out."""
        return self.written_host if self.port == _PORTS[self.scheme] else f"{self.written_host}:{self.port}"


def check_base_url(url: str, *, resolve: Resolve = addresses_of) -> str:
    """The base URL in its one spelling, without a slash at the end. Raises AddressNotAllowed (K3).

    https to a public host, at port 443 or one from 1024 on; a host and port that staff allow may be private and speak
    http. A name that has no address now passes: calls look again, and go only to addresses that passed.
    """
    parts = _split(url, longest=_LONGEST)
    origin = _origin(parts)
    if "?" in url or "#" in url:
        raise AddressNotAllowed("A base URL has no query and no fragment.")
    path = parts.path.rstrip("/")
    if not _PATH.fullmatch(path):
        raise AddressNotAllowed("The path of the base URL is written in an unusual way.")
    _require_allowed(origin, resolve)
    return f"{origin.scheme}://{origin.netloc}{path}"


def check_target(url: str, *, longest: int, resolve: Resolve = addresses_of) -> str:
    """The address of a webhook with its host in one spelling: a path and a query stay as they are written.

    By the rules of `check_base_url` otherwise. Raises AddressNotAllowed (N1).
    """
    parts = _split(url, longest=longest)
    origin = _origin(parts)
    if "#" in url:
        raise AddressNotAllowed("The address has no fragment: nobody would see it.")
    if not _TARGET.fullmatch(parts.path):
        raise AddressNotAllowed("The path of the address is written in an unusual way.")
    _require_allowed(origin, resolve)
    query = f"?{parts.query}" if parts.query else ""
    return f"{origin.scheme}://{origin.netloc}{parts.path or '/'}{query}"


def origin_of(url: str) -> Origin:
    """Where the URL leads. Raises AddressNotAllowed for what is no plain http or https URL."""
    return _origin(_split(url, longest=len(url)))


def resolved(origin: Origin, resolve: Resolve, seconds: float) -> Sequence[Address]:
    """All addresses of the host: what it is itself, or what the resolver says. Raises Unanswered."""
    literal = _literal(origin.host)
    return resolve(origin.host, origin.port, seconds) if literal is None else [literal]


def is_exempt(origin: Origin) -> bool:
    """Whether staff have allowed exactly this host and port."""
    names = [origin.host, origin.written_host]
    return AllowedHost.objects.filter(host__in=names, port=origin.port).exists()


def require_public_form(origin: Origin) -> None:
    """Raise AddressNotAllowed for what is not https to a host of the internet, as far as its name tells."""
    if origin.scheme != "https":
        raise AddressNotAllowed("The address does not begin with https://.")
    if origin.port != 443 and origin.port < 1024:
        raise AddressNotAllowed("The port of the address is 443, or 1024 or above.")
    if _literal(origin.host) is None:
        _require_public_name(origin.host)


def require_public(addresses: Iterable[Address]) -> None:
    """Raise AddressNotAllowed unless every address is of the public internet."""
    if not all(is_public(address) for address in addresses):
        raise AddressNotAllowed("The address leads to one that is not on the public internet.")


def _split(url: str, *, longest: int) -> SplitResult:
    if len(url) > longest:
        raise AddressNotAllowed(f"The address has at most {longest} characters.")
    if not _VISIBLE.fullmatch(url) or "\\" in url:
        raise AddressNotAllowed("The address is written without spaces, in ASCII (an international name as xn--…).")
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressNotAllowed("This is no URL.") from None


def _origin(parts: SplitResult) -> Origin:
    if parts.scheme not in _PORTS or not parts.netloc:
        raise AddressNotAllowed("The address begins with https:// and a host name.")
    if "@" in parts.netloc:
        raise AddressNotAllowed("The address holds no user name and no password.")
    try:
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not 0 < port < 65536:
        raise AddressNotAllowed("The port of the address is no port.")
    return Origin(parts.scheme, one_spelling(parts.hostname or ""), port)


def one_spelling(host: str) -> str:
    """A host in lower case in its one spelling: no IPv4 address in octal, hexadecimal, short or as one number.

    Raises AddressNotAllowed.
    """
    name = host.removesuffix(".")
    address = _literal(name)
    if address is not None:
        return str(address)
    labels = name.split(".")
    if len(name) > 253 or _NUMBER.fullmatch(labels[-1]) or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressNotAllowed("The host is neither a name nor an address in the usual form.")
    return name


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that the host is itself, if it is one; one with a zone is none."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def _require_public_name(host: str) -> None:
    if "." not in host or any(f".{host}".endswith(f".{inside}") for inside in _INSIDE):
        raise AddressNotAllowed("The address names a host inside a network; ask who runs this installation.")


def _require_allowed(origin: Origin, resolve: Resolve) -> None:
    if not is_exempt(origin):
        require_public_form(origin)
        require_public(_known_by_now(origin, resolve))


def _known_by_now(origin: Origin, resolve: Resolve) -> Iterable[Address]:
    try:
        return resolved(origin, resolve, settings.PROVIDER_TIMEOUT_SECONDS)
    except Unanswered:
        return []
