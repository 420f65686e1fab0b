"""POST /v1/runtime/authorizations and what follows it: the run's provider key, settle and void."""

from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from billing.api.hot.endpoint import answer, body_of, decode_flat, hot_endpoint
from billing.api.hot.key_cache import recent_caller
from billing.api.permissions import require
from billing.core.ids import InvalidId, decode_id
from billing.core.problems import problem
from billing.runtime.requests import AuthorizationRequest, SettlementRequest
from billing.runtime.services.authorize import authorize
from billing.runtime.services.hand_out_credential import hand_out_credential
from billing.runtime.services.settle import settle as settle_run
from billing.runtime.services.void import void as void_run
from tenants.permissions import Permission
from tenants.queries import Caller
from vault.crypto.secret import Secret


def _reveal(value: object) -> str:
    """A key's plain text, for the answer that is made to hold it; nothing else is encoded by this."""
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is no JSON.")


_authorization = msgspec.json.Decoder(AuthorizationRequest)
_settlement = msgspec.json.Decoder(SettlementRequest)
_revealing = msgspec.json.Encoder(enc_hook=_reveal)
_SCOPES = (Permission.RUNTIME, Permission.USAGE_WRITE)


@hot_endpoint
def authorizations(request: HttpRequest) -> HttpResponse:
    """Decide about a run and hold its cost: 201, or a refusal with the limit and what would help."""
    caller = _caller(request)
    asked = decode_flat(_authorization, body_of(request))
    return answer(authorize(caller=caller, request=asked, at=now()), status=201)


@hot_endpoint
@sensitive_variables()
def credential(request: HttpRequest, authorization_id: str) -> HttpResponse:
    """Give a run's provider key to the platform's own runtime: no other scope opens this (K5)."""
    caller = recent_caller(request)
    require(caller, Permission.RUNTIME)
    handed = hand_out_credential(caller=caller, authorization_id=_id(authorization_id), at=now())
    response = HttpResponse(_revealing.encode(handed), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response


@hot_endpoint
def settle(request: HttpRequest, authorization_id: str) -> HttpResponse:
    """Close a run with its real figures."""
    caller = _caller(request)
    figures = decode_flat(_settlement, body_of(request))
    return answer(settle_run(caller=caller, authorization_id=_id(authorization_id), request=figures, at=now()))


@hot_endpoint
def void(request: HttpRequest, authorization_id: str) -> HttpResponse:
    """Close a run that did not happen."""
    caller = _caller(request)
    return answer(void_run(caller=caller, authorization_id=_id(authorization_id), at=now()))


def _caller(request: HttpRequest) -> Caller:
    caller = recent_caller(request)
    require(caller, *_SCOPES)
    return caller


def _id(text: str) -> UUID:
    try:
        return decode_id("auth", text)
    except InvalidId:
        raise problem("not-found", "There is no such authorization.") from None
