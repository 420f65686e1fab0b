"""The hot endpoints in front of Django: its middleware would take longer than the decision.

A POST to one of them goes straight to its view, which does its own authentication and answers its own errors. Sessions,
CSRF, messages and the content security policy have no part in these calls; what does have, the host check and the
redirect to https, is kept by handing such requests on to Django. Everything else is Django's from the start.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse

from billing.api.hot import runtime, usage

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]
View = Callable[[HttpRequest], HttpResponse]

_AUTHORIZATIONS = "/v1/runtime/authorizations"
_VIEWS: dict[str, View] = {_AUTHORIZATIONS: runtime.authorizations, "/v1/usage/events": usage.post_events}
_ACTIONS: dict[str, Callable[[HttpRequest, str], HttpResponse]] = {
    "credential": runtime.credential,
    "settle": runtime.settle,
    "void": runtime.void,
}


class HotPath:
    """A WSGI application that serves the hot endpoints itself and passes the rest to another."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        view = _view_of(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        request = WSGIRequest(environ) if view is not None else None
        if view is None or request is None or not _is_trusted(request):
            return self._application(environ, start_response)
        response = _serve(view, request)
        response["Content-Length"] = str(len(response.content))
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
        return [response.content]


def _view_of(path: str) -> View | None:
    view = _VIEWS.get(path)
    if view is not None or not path.startswith(f"{_AUTHORIZATIONS}/"):
        return view
    authorization_id, _, action = path.removeprefix(f"{_AUTHORIZATIONS}/").partition("/")
    act = _ACTIONS.get(action)
    return partial(_act, act, authorization_id) if act is not None else None


def _act(act: Callable[[HttpRequest, str], HttpResponse], authorization_id: str, request: HttpRequest) -> HttpResponse:
    return act(request, authorization_id)


def _is_trusted(request: HttpRequest) -> bool:
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return request.is_secure() or not settings.SECURE_SSL_REDIRECT


def _serve(view: View, request: HttpRequest) -> HttpResponse:
    """The view's answer; a second try on a new connection where the first one found its connection dead.

    No health check precedes each call, as it would cost a round trip. Trying again is safe: every hot call carries an
    idempotency key, or settles by id.
    """
    response = view(request)
    if connection.errors_occurred and not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
        if connection.connection is None and response.status_code == 503:
            response = view(request)
    return response
