"""The secret in an invitation's link: stored nowhere, made again from the row and SECRET_KEY when the mail is sent.

So neither a copy of the database nor the outbox of e-mails holds a link that works. 256 bits need no slow hash.
"""

import hashlib
from base64 import urlsafe_b64encode
from uuid import UUID

from django.utils.crypto import salted_hmac


def make_token(invitation_id: UUID, sending: int) -> str:
    """43 characters that fit into an address; each sending of an invitation has its own."""
    sealed = salted_hmac("tenants.invitation", f"{invitation_id.hex}:{sending}", algorithm="sha256")
    return urlsafe_b64encode(sealed.digest()).decode().rstrip("=")


def digest_of(token: str) -> bytes:
    """What is stored and looked up."""
    return hashlib.sha256(token.encode()).digest()
