"""Errors as problem details (RFC 9457): one form for every refusal, whoever raised it."""

from math import ceil

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, DataError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from psycopg.errors import ReadOnlySqlTransaction
from rest_framework import exceptions

from billing.api.vault_errors import vault_problem
from billing.core.problems import FieldError, Problem, problem
from billing.subscriptions.errors import ChangeAhead, NoActivePlan, PlanUnchanged, UnknownPlan
from vault.errors import VaultError

_log = structlog.get_logger(__name__)


def problem_response(error: Exception, context: object = None) -> HttpResponse:
    """The answer to an exception; DRF's exception handler."""
    return render_problem(as_problem(error))


def render_problem(refusal: Problem) -> HttpResponse:
    """A problem as an HTTP answer."""
    response = JsonResponse(refusal.as_dict(), status=refusal.status, content_type="application/problem+json")
    if refusal.retry_after is not None:
        response["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="quaestor"'
    return response


def as_problem(error: Exception) -> Problem:
    """The problem that an exception stands for; what nobody foresaw is logged and said to be our fault."""
    match error:
        case Problem():
            return error
        case VaultError():
            return vault_problem(error)
        case NoActivePlan() | UnknownPlan() | PlanUnchanged() | ChangeAhead():
            return _of_plans(error)
        case exceptions.ValidationError():
            return problem(
                "invalid-request", "Some fields are not valid.", errors=tuple(field_errors(error.get_full_details()))
            )
        case exceptions.APIException():
            return _of_framework(error)
        case Http404() | PermissionDenied() | SuspiciousOperation():
            return _of_django(error)
        case DatabaseError() | InterfaceError():
            return _of_database(error)
        case _:
            _log.exception("unexpected_error")
            return problem("internal-error", "Something went wrong on our side. The request can be sent again.")


def _of_plans(error: NoActivePlan | UnknownPlan | PlanUnchanged | ChangeAhead) -> Problem:
    match error:
        case NoActivePlan():
            return problem("no-active-plan", "The billing account has no plan.", remedy="Choose a plan.")
        case UnknownPlan():
            return problem("not-found", str(error), remedy="List the plans on offer.")
        case PlanUnchanged():
            return problem("nothing-to-change", str(error))
        case ChangeAhead():
            return problem("account-changed", str(error), remedy="Look at the account again.")


def _of_django(error: Http404 | PermissionDenied | SuspiciousOperation) -> Problem:
    match error:
        case Http404():
            return problem("not-found", "There is nothing at this address.")
        case PermissionDenied():
            return problem("insufficient-scope", "This is not allowed.")
        case RequestDataTooBig():
            return problem("body-too-large", "The body is too large.", remedy="Send less at once.")
        case SuspiciousOperation():
            return problem("invalid-request", "The request cannot be read.")


_UNSTORABLE = "Something cannot be stored: a figure, or a sum with it, is too large, or a text holds NUL."


def _of_database(error: DatabaseError | InterfaceError) -> Problem:
    match error:
        case DataError():
            return problem("invalid-request", _UNSTORABLE)
        case OperationalError() | InterfaceError():
            _log.exception("database_unavailable")
            return problem("service-unavailable", "The database does not answer; try again.", retry_after=1)
        case InternalError() if isinstance(error.__cause__, ReadOnlySqlTransaction):
            _log.exception("database_read_only")
            return problem("service-unavailable", "The database takes no writes; try again.", retry_after=1)
        case _:
            _log.exception("database_refused")
            return problem("internal-error", "Something went wrong on our side. The request can be sent again.")


def _of_framework(error: exceptions.APIException) -> Problem:
    detail = str(error.detail)
    match error:
        case exceptions.ParseError():
            return problem("invalid-json", detail)
        case exceptions.MethodNotAllowed():
            return problem("method-not-allowed", detail)
        case exceptions.NotAcceptable():
            return problem("not-acceptable", detail)
        case exceptions.UnsupportedMediaType():
            return problem("unsupported-media-type", detail, remedy="Send JSON as application/json.")
        case exceptions.NotFound():
            return problem("not-found", detail)
        case exceptions.Throttled():
            wait: float | None = getattr(error, "wait", None)
            return problem("rate-limited", detail, retry_after=ceil(wait or 1))
        case exceptions.PermissionDenied():
            return problem("insufficient-scope", detail)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return problem("authentication-required", detail)
        case _:
            return problem("internal-error", "Something went wrong on our side.")


def field_errors(details: object, path: str = "") -> list[FieldError]:
    """DRF's nested error details as a flat list; `path` names the field."""
    match details:
        case {"message": str(message), "code": str(code)}:
            return [FieldError(path or "body", code.replace("_", "-"), message)]
        case dict():
            return [
                one
                for key, value in details.items()
                for one in field_errors(value, path if key == "non_field_errors" else f"{path}.{key}".strip("."))
            ]
        case list():
            nested = not all(isinstance(item, dict) and "message" in item for item in details)
            return [
                one
                for index, item in enumerate(details)
                for one in field_errors(item, f"{path}.{index}".strip(".") if nested else path)
            ]
    return []
