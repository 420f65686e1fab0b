"""Webhook signatures, as the API makes them."""

import hashlib
import hmac
import time


def signature_header(secret: str, body: str) -> str:
    """The Stripe-Signature header of a body sent now: real time, whatever the sandbox's clock says."""
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"
