"""What Django answers by itself when a request fails: problem details below /v1, a page elsewhere."""

from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults

from billing.api.errors import as_problem, render_problem
from billing.core.problems import problem


def _is_api(request: HttpRequest) -> bool:
    return request.path == "/v1" or request.path.startswith("/v1/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """A request that Django refuses before any view sees it, such as one for another host."""
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    what = (
        "The Host header names another server." if isinstance(exception, DisallowedHost) else "The request is broken."
    )
    return render_problem(problem("invalid-request", what))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No such address, or no such object."""
    return render_problem(as_problem(exception)) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """A fault of ours; Django has logged it."""
    if not _is_api(request):
        return defaults.server_error(request)
    return render_problem(problem("internal-error", "Something went wrong on our side. The request can be sent again."))


def no_page(request: HttpRequest) -> HttpResponse:
    """For addresses of packages that are not part of the product."""
    raise Http404
