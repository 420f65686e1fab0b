"""Middleware that belongs to no single app."""

from collections.abc import Callable

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from config.shown_paths import shown_path

# django-unfold's pages run Alpine expressions and set inline styles; the relaxation stays inside the admin.
_ADMIN_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
}
# Swagger UI injects inline styles for its own layout.
_DOCS_POLICY = {"style-src": [SELF, UNSAFE_INLINE], "worker-src": [NONE]}
_RELAXED = (("/admin/", _ADMIN_POLICY), ("/v1/docs", _DOCS_POLICY))


class RequestLog(RequestMiddleware):
    """Logs requests by their route, without values in the path and what follows it: somebody may have put a provider
    key there (K2)."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {shown_path(request)}"


class AdminContentSecurityPolicy:
    """Relaxes the content security policy for the two third-party front ends, by path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for prefix, policy in _RELAXED:
            if request.path.startswith(prefix):
                vars(response)["_csp_replace"] = policy
        return response
