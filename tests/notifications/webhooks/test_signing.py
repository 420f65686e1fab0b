"""Signatures, as the public library of Standard Webhooks verifies them (N1)."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
from django.utils.timezone import now

from billing.notifications.models import WebhookEndpoint
from billing.notifications.services.end_secret_overlaps import end_secret_overlaps
from billing.notifications.services.rotate_secret import rotate_secret
from billing.notifications.webhook_signing import new_secret, signature_header
from tenants.services.record_audit import SYSTEM
from tests.make import AT, make_tenant
from tests.notifications.webhooks.make import deliver, fresh, open_endpoint, publish
from tests.notifications.webhooks.receiver import Request, receiving
from vault.crypto.secret import Secret
from vault.models import SealedText

pytestmark = pytest.mark.usefixtures("vault")
HOUR = timedelta(hours=1)


def is_valid(secret: Secret, request: Request) -> bool:
    try:
        standardwebhooks.Webhook(secret.reveal()).verify(request.body, request.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def rotate(endpoint: WebhookEndpoint, at: datetime, **overlap: timedelta) -> Secret:
    return rotate_secret(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, actor=SYSTEM, at=at, **overlap)


def test_public_library_verifies_what_arrives() -> None:
    """N1: with the secret as it is shown, in UTF-8, and with no other."""
    tenant, at = make_tenant(), now()
    with receiving() as receiver:
        _, secret = open_endpoint(tenant, receiver.url)
        publish(tenant, at=at, name="Łódź – “Ä”")
        deliver(at)
    [request] = receiver.got
    assert is_valid(secret, request)
    assert not is_valid(new_secret(), request)
    assert not is_valid(secret, Request(request.path, request.headers, request.body + b" "))
    assert "Łódź – “Ä”".encode() in request.body


def test_known_answer() -> None:
    """N1: the signature that the public library makes of the same."""
    secret, at = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), datetime(2026, 11, 21, 12, tzinfo=UTC)
    theirs = standardwebhooks.Webhook(secret.reveal()).sign("msg_1", at, '{"a":"é"}')
    ours = signature_header([secret], message_id="msg_1", timestamp=int(at.timestamp()), body='{"a":"é"}'.encode())
    assert ours == theirs


def test_secrets_are_random_and_of_the_right_length() -> None:
    """N1: 24 bytes or more, never the same."""
    made = {new_secret().reveal() for _ in range(50)}
    assert len(made) == 50
    assert {len(b64decode(text.removeprefix("whsec_"))) for text in made} == {30}


def test_both_secrets_verify_during_the_overlap() -> None:
    """N1: two signatures in one header for 24 hours, then one; the old text is erased."""
    tenant, at = make_tenant(), now()
    with receiving() as receiver:
        endpoint, old = open_endpoint(tenant, receiver.url)
        new = rotate(endpoint, at - 23 * HOUR)
        publish(tenant, at=at)
        deliver(at)
        assert end_secret_overlaps(at=at) == 0
        assert end_secret_overlaps(at=at + HOUR) == 1
        publish(tenant, at=at)
        deliver(at)
    during, after = receiver.got
    assert len(during.headers["webhook-signature"].split()) == 2
    assert is_valid(old, during)
    assert is_valid(new, during)
    assert not is_valid(old, after)
    assert is_valid(new, after)
    assert SealedText.objects.exclude(erased_at=None).count() == 1
    assert fresh(endpoint).previous_secret is None


def test_overlap_ends_by_the_clock_alone() -> None:
    """N1: also where nobody has erased the old secret yet."""
    tenant, at = make_tenant(), now()
    with receiving() as receiver:
        endpoint, old = open_endpoint(tenant, receiver.url)
        rotate(endpoint, at - 24 * HOUR)
        publish(tenant, at=at)
        deliver(at)
    assert not is_valid(old, receiver.got[0])


def test_secret_in_wrong_hands_ends_at_once() -> None:
    """N1: without an overlap, and a second rotation ends the oldest of three."""
    tenant = make_tenant()
    endpoint, _ = open_endpoint(tenant, "https://93.184.215.14/hooks")
    rotate(endpoint, AT, overlap=timedelta(0))
    assert SealedText.objects.filter(erased_at=None).count() == 1
    rotate(endpoint, AT)
    rotate(endpoint, AT)
    assert SealedText.objects.filter(erased_at=None).count() == 2
    assert fresh(endpoint).previous_until == AT + 24 * HOUR
