"""Who calls: `Authorization: Bearer qk_…`."""

from django.http import HttpRequest
from django.utils.timezone import now
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from billing.core.problems import problem
from tenants.api_keys import digest_of, is_well_formed
from tenants.queries import Caller, find_caller
from tenants.services.note_key_use import note_key_use

_HOW = "Send an API key of the console’s API keys page as “Authorization: Bearer qk_…”."


def authenticate(request: HttpRequest | Request) -> Caller:
    """The caller of a request, whose key is noted as used.

    Raises Problem: authentication-required, invalid-api-key, revoked-api-key.
    """
    caller = find_caller(key_digest(request))
    if caller is None:
        raise problem("invalid-api-key", "There is no such API key.", remedy=_HOW)
    if caller.revoked:
        raise problem("revoked-api-key", "The API key has been revoked.", remedy="Create a new API key.")
    note_key_use(caller=caller, at=now())
    return caller


def key_digest(request: HttpRequest | Request) -> bytes:
    """The digest of the key that the request carries. Raises Problem where it carries none, or no key at all."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise problem("authentication-required", "The request carries no API key.", remedy=_HOW)
    if not is_well_formed(key):
        raise problem("invalid-api-key", "The API key is malformed: its checksum does not fit.", remedy=_HOW)
    return digest_of(key)


class ApiKeyAuthentication(BaseAuthentication):
    """DRF's face of `authenticate`."""

    def authenticate(self, request: Request) -> tuple[Caller, None]:
        return authenticate(request), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="quaestor"'
