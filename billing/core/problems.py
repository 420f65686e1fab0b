"""Problem details for refused requests (RFC 9457), and the list of codes that clients may rely on.

A code, its status and its title never change once published; the detail says what happened this time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

_KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_QUOTA_EXCEEDED = "quota-exceeded-"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request; `field` is its path, such as `events.3.input_tokens`."""

    field: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What all problems of one code share: the HTTP status and a title."""

    status: int
    title: str


class Problem(Exception):
    """A refusal that the caller is told about, in the terms of RFC 9457.

    `limit_source` names what set the limit (a plan, an override, a cap), `remedy` what would lift it,
    `retry_after` is in seconds and becomes the Retry-After header, not a member of the body.
    """

    def __init__(
        self,
        *,
        code: str,
        status: int,
        title: str,
        detail: str,
        limit_source: str | None = None,
        remedy: str | None = None,
        retry_after: int | None = None,
        errors: tuple[FieldError, ...] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.status = status
        self.title = title
        self.detail = detail
        self.limit_source = limit_source
        self.remedy = remedy
        self.retry_after = retry_after
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is pickled with its positional arguments, which a keyword-only one has none of.
        return partial(type(self), **vars(self)), ()

    def as_dict(self) -> dict[str, Any]:
        """Give the body of an `application/problem+json` answer."""
        body: dict[str, Any] = {
            "type": f"urn:quaestor:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.limit_source is not None:
            body["limit_source"] = self.limit_source
        if self.remedy is not None:
            body["remedy"] = self.remedy
        if self.errors:
            body["errors"] = [{"field": e.field, "code": e.code, "detail": e.detail} for e in self.errors]
        return body


class ProblemOptions(TypedDict, total=False):
    """The optional members of a problem, as `problem` takes them."""

    limit_source: str | None
    remedy: str | None
    retry_after: int | None
    errors: tuple[FieldError, ...]


CODES: Mapping[str, ProblemType] = MappingProxyType(
    {
        # The request itself
        "invalid-json": ProblemType(400, "The body is not valid JSON"),
        "invalid-request": ProblemType(400, "The request is not valid"),
        "invalid-cursor": ProblemType(400, "The cursor is not valid"),
        "base-url-not-allowed": ProblemType(400, "The address is not allowed"),
        "webhook-address-not-allowed": ProblemType(400, "The address is not allowed"),
        "unknown-event-type": ProblemType(400, "No such type of event"),
        "billing-return-url-not-allowed": ProblemType(400, "The return address is not allowed"),
        "not-found": ProblemType(404, "Not found"),
        "method-not-allowed": ProblemType(405, "Method not allowed"),
        "not-acceptable": ProblemType(406, "No acceptable representation"),
        "body-too-large": ProblemType(413, "The body is too large"),
        "unsupported-media-type": ProblemType(415, "Unsupported media type"),
        # Who asks
        "authentication-required": ProblemType(401, "Authentication is required"),
        "invalid-api-key": ProblemType(401, "The API key is not valid"),
        "revoked-api-key": ProblemType(401, "The API key is revoked"),
        "insufficient-scope": ProblemType(403, "The API key lacks a scope"),
        # What the account may use
        "insufficient-credits": ProblemType(402, "Not enough credits"),
        "model-denied-by-plan": ProblemType(402, "The plan does not include the model"),
        "no-active-plan": ProblemType(402, "The account has no plan"),
        "no-model-available": ProblemType(402, "No model is available"),
        "overage-not-offered": ProblemType(402, "The plan sells no executions past its limit"),
        "plan-without-byok": ProblemType(402, "The plan does not include own provider keys"),
        "card-declined": ProblemType(402, "The card was declined"),
        "spend-cap-exceeded": ProblemType(402, "The spend cap is reached"),
        "rate-limited": ProblemType(429, "Too many requests"),
        "throttled": ProblemType(429, "Usage is throttled"),
        # What is there
        "model-not-found": ProblemType(404, "No such model"),
        "account-changed": ProblemType(409, "The account has changed meanwhile"),
        "ambiguous-agent": ProblemType(409, "Several agents have this name"),
        "authorization-expired": ProblemType(409, "The authorization has expired"),
        "authorization-settled": ProblemType(409, "The authorization is settled already"),
        "authorization-voided": ProblemType(409, "The authorization is voided"),
        "idempotency-conflict": ProblemType(409, "The idempotency key was used for another request"),
        "request-in-progress": ProblemType(409, "The same request is being worked on"),
        "missing-provider-credential": ProblemType(409, "No provider key is set"),
        "session-ended": ProblemType(409, "The session has ended"),
        "session-stopped": ProblemType(409, "The session was stopped"),
        "no-card": ProblemType(409, "There is no card to charge"),
        "no-stripe-customer": ProblemType(409, "The account has no Stripe customer"),
        "nothing-to-pay": ProblemType(409, "There is nothing to pay"),
        "nothing-to-change": ProblemType(409, "There is nothing to change"),
        "no-subscription": ProblemType(409, "The account has no paid subscription"),
        "subscription-exists": ProblemType(409, "The account has a paid subscription already"),
        "credential-changed": ProblemType(409, "The key has changed meanwhile"),
        "credential-exists": ProblemType(409, "A key of this name exists already"),
        "credential-revoked": ProblemType(409, "The key is revoked"),
        "too-many-webhook-endpoints": ProblemType(409, "The tenant has too many webhook endpoints"),
        "webhook-endpoint-disabled": ProblemType(409, "The webhook endpoint is disabled"),
        "provider-key-rejected": ProblemType(422, "The provider does not accept the key"),
        "event-in-the-future": ProblemType(422, "The event lies in the future"),
        "unpriced-model": ProblemType(422, "The model has no price"),
        "unpriced-product": ProblemType(422, "The product has no price"),
        # Our side
        "internal-error": ProblemType(500, "Internal error"),
        "credential-unreadable": ProblemType(503, "The key cannot be read"),
        "platform-budget-exhausted": ProblemType(503, "The platform's budget for the provider is used up"),
        "provider-unavailable": ProblemType(503, "The platform's keys for the provider rest"),
        "provider-unreachable": ProblemType(503, "The provider does not answer"),
        "service-unavailable": ProblemType(503, "The service is unavailable"),
        "stripe-not-configured": ProblemType(503, "Stripe is not configured"),
        "stripe-unavailable": ProblemType(503, "Stripe does not answer"),
        "vault-not-configured": ProblemType(503, "The key vault is not configured"),
    }
)


def problem(code: str, detail: str, **optional: Unpack[ProblemOptions]) -> Problem:
    """Make the problem of a listed code. Raises KeyError for a code that `CODES` does not list."""
    kind = CODES[code]
    return Problem(code=code, status=kind.status, title=kind.title, detail=detail, **optional)


def limit_code(name: str) -> str:
    """Give the code of an exceeded quota: `quota-exceeded-` and the lower-kebab name of the limit.

    Raises ValueError for a name that is not lower-kebab.
    """
    if _KEBAB.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a lower-kebab name.")
    return _QUOTA_EXCEEDED + name


def quota_exceeded(
    name: str, *, detail: str, limit_source: str, remedy: str, retry_after: int | None = None, status: int = 402
) -> Problem:
    """Make the refusal of an exceeded quota with the code that `limit_code` gives (P6): 402, or 429 for slots (P9)."""
    return Problem(
        code=limit_code(name),
        status=status,
        title="Quota exceeded",
        detail=detail,
        limit_source=limit_source,
        remedy=remedy,
        retry_after=retry_after,
    )
