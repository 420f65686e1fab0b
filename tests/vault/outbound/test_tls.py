"""Certificates are checked for the name, whatever address the call goes to (K3)."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.vault.outbound.servers import allow, answering, serving
from tests.vault.outbound.test_addresses import resolving
from vault.errors import ProviderUnreachable
from vault.outbound.calls import Call
from vault.outbound.client import send
from vault.outbound.exchange import _tls

NAME = "models.example.com"


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ssl.SSLContext]:
    """A server's certificate for one name, trusted by the process for one test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    _tls.cache_clear()
    yield context
    _tls.cache_clear()


@pytest.mark.django_db
def test_the_certificate_is_of_the_name_not_of_the_address(certificate: ssl.SSLContext) -> None:
    """The same server under another name, by its address or untrusted is no provider (K3)."""
    loopback = resolving("127.0.0.1")
    with serving(answering(200, "{}"), tls=certificate) as server:
        for host in (NAME, "other.example.com", "127.0.0.1"):
            allow(host, server.port)
        good = Call("GET", f"https://{NAME}:{server.port}/", {})
        assert send(good, tenant_supplied=True, resolve=loopback).status == 200
        for host in ("other.example.com", "127.0.0.1"):
            with pytest.raises(ProviderUnreachable):
                send(Call("GET", f"https://{host}:{server.port}/", {}), tenant_supplied=True, resolve=loopback)


@pytest.mark.django_db
def test_an_unknown_authority_is_refused(certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the operator's word only the usual authorities count (K3)."""
    monkeypatch.delenv("SSL_CERT_FILE")
    with serving(answering(200, "{}"), tls=certificate) as server, pytest.raises(ProviderUnreachable):
        send(
            Call("GET", f"https://{NAME}:{server.port}/", {}),
            tenant_supplied=False,
            resolve=resolving("127.0.0.1"),
        )
