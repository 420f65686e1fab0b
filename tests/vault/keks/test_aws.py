"""AWS KMS as key-encryption key, against moto's KMS (K1)."""

import logging
import secrets
import sys
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from vault.errors import KekRefused, KekUnavailable, Unreadable, VaultNotConfigured
from vault.keks.aws import AwsKey, _client
from vault.keks.registry import wrapper_of
from vault.models import KeyEncryptionKey

REGION = "eu-central-1"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever this machine has of AWS's is out of reach."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS"):
        monkeypatch.delenv(name, raising=False)
    _client.cache_clear()
    yield
    _client.cache_clear()


@pytest.fixture
def arn() -> Iterator[str]:
    """A symmetric key of moto's."""
    with mock_aws():
        yield boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]


def test_a_data_key_comes_back(arn: str) -> None:
    """What KMS keeps of it is not the key."""
    data_key = secrets.token_bytes(32)
    wrapped = AwsKey(arn).wrap(data_key, context=b"one")
    assert data_key not in wrapped
    assert AwsKey(arn).unwrap(wrapped, context=b"one") == data_key


def test_another_context_is_refused(arn: str) -> None:
    """A data key opens only in its own row."""
    wrapped = AwsKey(arn).wrap(secrets.token_bytes(32), context=b"one")
    for context, blob in [(b"two", wrapped), (b"one", wrapped[:-1] + bytes([wrapped[-1] ^ 1]))]:
        with pytest.raises(Unreadable):
            AwsKey(arn).unwrap(blob, context=context)


def test_another_key_is_refused(arn: str) -> None:
    """Only the key that the row names is asked. moto denies access where KMS says IncorrectKeyException."""
    wrapped = AwsKey(arn).wrap(secrets.token_bytes(32), context=b"one")
    other = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]
    with pytest.raises((Unreadable, KekUnavailable)):
        AwsKey(other).unwrap(wrapped, context=b"one")


@pytest.mark.usefixtures("arn")
def test_a_refusal_is_no_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown key says nothing against the data key."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with pytest.raises(KekUnavailable, match="NotFoundException"):
        AwsKey("00000000-0000-0000-0000-000000000000").wrap(secrets.token_bytes(32), context=b"one")


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """K2: neither the error nor the log, at any level, has the data key."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    data_key = b"0123456789abcdef0123456789abcdef"
    with pytest.raises(KekUnavailable) as caught:
        AwsKey(f"arn:aws:kms:{REGION}:1:key/2").wrap(data_key, context=b"one")
    assert str(caught.value) == "AWS KMS does not answer: EndpointConnectionError."
    assert "MDEyMzQ1Njc4OWFiY2RlZj" not in caplog.text
    assert "0123456789abcdef" not in caplog.text


def test_without_credentials_or_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator is told what is missing."""
    with pytest.raises(VaultNotConfigured, match="region"):
        AwsKey("2a2a2a2a-0000-0000-0000-000000000000").wrap(b"k", context=b"one")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(VaultNotConfigured, match="credentials"):
        AwsKey(f"arn:aws:kms:{REGION}:1:key/2").wrap(b"k", context=b"one")


def test_an_alias_is_refused() -> None:
    """It can be pointed at another key, which would make every data key unreadable."""
    with pytest.raises(KekRefused):
        AwsKey("alias/quaestor")


@pytest.mark.parametrize(("backend", "library"), [("aws", "boto3"), ("gcp", "google.cloud.kms"), ("transit", "hvac")])
def test_a_missing_extra_is_named(backend: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three key services are extras of the package."""
    monkeypatch.delitem(sys.modules, f"vault.keks.{backend}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(VaultNotConfigured, match=rf"pip install quaestor\[{backend}\]"):
        wrapper_of(KeyEncryptionKey(name="one", backend=backend, location="mount/key"))
