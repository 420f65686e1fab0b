"""Base URLs of tenants (K3)."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from tests.vault.outbound.servers import allow
from vault.errors import AddressNotAllowed, Unanswered
from vault.outbound.addresses import check_base_url
from vault.outbound.networks import Address
from vault.outbound.resolving import Resolve

pytestmark = pytest.mark.django_db


def resolving(*addresses: str) -> Resolve:
    """A resolver that knows one answer."""

    def resolve(host: str, port: int, seconds: float) -> Sequence[Address]:
        if not addresses:
            raise Unanswered("Nothing is known.")
        return [ip_address(address) for address in addresses]

    return resolve


PUBLIC = resolving("93.184.215.14", "2606:2800:21f:cb07::1")


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://models.example.com", "https://models.example.com"),
        ("HTTPS://Models.Example.COM.:443/", "https://models.example.com"),
        ("https://models.example.com:8443/v1/", "https://models.example.com:8443/v1"),
        ("https://models.example.com:11434", "https://models.example.com:11434"),
        ("https://xn--bcher-kva.example/a-b_c~d/v1", "https://xn--bcher-kva.example/a-b_c~d/v1"),
        ("https://93.184.215.14/v1", "https://93.184.215.14/v1"),
        ("https://[2606:2800:21F:0::1]:8443", "https://[2606:2800:21f::1]:8443"),
    ],
)
def test_a_public_address_has_one_spelling(entered: str, kept: str) -> None:
    """Lower case, no usual port, no slash at the end (K3)."""
    assert check_base_url(entered, resolve=PUBLIC) == kept


@pytest.mark.parametrize(
    ("entered", "because"),
    [
        ("", "without spaces"),
        ("models.example.com", "begins with https://"),
        ("//models.example.com", "begins with https://"),
        ("ftp://models.example.com", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("gopher://models.example.com", "begins with https://"),
        ("http://models.example.com", "not begin with https://"),
        ("https://", "begins with https://"),
        ("https:models.example.com", "begins with https://"),
        ("https://user:word@models.example.com", "no user name"),
        ("https://8.8.8.8@127.0.0.1", "no user name"),
        ("https://@models.example.com", "no user name"),
        ("https://models.example.com?", "no query"),
        ("https://models.example.com/v1?to=1", "no query"),
        ("https://models.example.com#", "no query"),
        ("https://models.example.com\\@127.0.0.1", "without spaces"),
        ("https://models.example.com\t", "without spaces"),
        ("https://mod\nels.example.com", "without spaces"),
        (" https://models.example.com", "without spaces"),
        ("https://bücher.example", "xn--"),
        ("https://１２７.0.0.1", "xn--"),
        ("https://models.example.com/../admin", "unusual way"),
        ("https://models.example.com/./v1", "unusual way"),
        ("https://models.example.com/%2e%2e/admin", "unusual way"),
        ("https://models.example.com//v1", "unusual way"),
        ("https://models.example.com:22", "port"),
        ("https://models.example.com:80", "port"),
        ("https://models.example.com:0", "no port"),
        ("https://models.example.com:65536", "no port"),
        ("https://models.example.com:https", "no port"),
        ("https://models_1.example.com", "neither a name"),
        ("https://-models.example.com", "neither a name"),
        ("https://models..example.com", "neither a name"),
        ("https://models.example.com..", "neither a name"),
        ("https://" + "a" * 64 + ".example.com", "neither a name"),
        ("https://%31%32%37.0.0.1", "neither a name"),
        ("https://[::1", "no URL"),
        ("https://models.example.com/" + "a" * 300, "300 characters"),
    ],
)
def test_anything_unusual_is_refused(entered: str, because: str) -> None:
    """Spellings that two readers of a URL may read differently, and all that is not plain https (K3)."""
    with pytest.raises(AddressNotAllowed, match=because):
        check_base_url(entered, resolve=PUBLIC)


HOSTS_INSIDE = [
    *["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.20.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0"],
    *["2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "127.0.0.01", "017700000001", "0"],
    *["0x7f.0x0.0x0.0x1", "127.0.0.1.", "2852039166", "0xa9fea9fe"],
    *["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:ffff:a9fe:a9fe]"],
    *["[64:ff9b::169.254.169.254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]"],
    *["[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fd00:ec2::254]", "[fc00::1]", "[ff02::1]"],
    *["localhost", "LOCALHOST", "localhost.", "a.localhost", "models", "metadata", "instance-data"],
    *["metadata.google.internal", "metadata.google.internal.", "printer.local", "router.lan", "db.svc"],
    *["kubernetes.default.svc.cluster.local", "nas.home.arpa"],
]


@pytest.mark.parametrize("host", HOSTS_INSIDE)
def test_no_spelling_of_an_address_inside_passes(host: str) -> None:
    """Whatever a resolver would make of it (K3)."""
    with pytest.raises(AddressNotAllowed):
        check_base_url(f"https://{host}/v1", resolve=PUBLIC)


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "64:ff9b::7f00:1", "fd00::1"])
def test_a_name_with_one_address_inside_is_refused(inside: str) -> None:
    """One among public ones is enough (K3)."""
    with pytest.raises(AddressNotAllowed, match="public internet"):
        check_base_url("https://models.example.com", resolve=resolving("93.184.215.14", inside))


def test_a_name_without_an_address_passes_for_now() -> None:
    """Calls look again (K3)."""
    assert check_base_url("https://models.example.com", resolve=resolving()) == "https://models.example.com"


def test_what_staff_allow_is_one_host_at_one_port() -> None:
    """It may be inside and speak http; its neighbours may not (K3)."""
    allow("models.internal", 11434)
    allow("10.0.0.5", 80)
    allow("::1", 8000)
    inside = resolving("10.0.0.5")
    assert check_base_url("http://Models.Internal:11434/", resolve=inside) == "http://models.internal:11434"
    assert check_base_url("http://10.0.0.5/v1", resolve=inside) == "http://10.0.0.5/v1"
    assert check_base_url("http://[0::1]:8000", resolve=inside) == "http://[::1]:8000"
    for other in ("http://models.internal:11435", "http://a.models.internal:11434", "http://10.0.0.6", "http://[::1]"):
        with pytest.raises(AddressNotAllowed):
            check_base_url(other, resolve=inside)
