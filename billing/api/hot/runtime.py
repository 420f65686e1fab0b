"""POST /v1/runtime/authorizations and what follows it: settle and void."""

from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now

from billing.api.hot.endpoint import answer, body_of, decode_flat, hot_endpoint
from billing.api.hot.key_cache import recent_caller
from billing.api.permissions import require
from billing.core.ids import InvalidId, decode_id
from billing.core.problems import problem
from billing.runtime.requests import AuthorizationRequest, SettlementRequest
from billing.runtime.services.authorize import authorize
from billing.runtime.services.settle import settle as settle_run
from billing.runtime.services.void import void as void_run
from tenants.permissions import Permission
from tenants.queries import Caller

_authorization = msgspec.json.Decoder(AuthorizationRequest)
_settlement = msgspec.json.Decoder(SettlementRequest)
_SCOPES = (Permission.RUNTIME, Permission.USAGE_WRITE)


@hot_endpoint
def authorizations(request: HttpRequest) -> HttpResponse:
    """Decide about a run and hold its cost: 201, or a refusal with the limit and what would help."""
    caller = _caller(request)
    asked = decode_flat(_authorization, body_of(request))
    return answer(authorize(caller=caller, request=asked, at=now()), status=201)


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
