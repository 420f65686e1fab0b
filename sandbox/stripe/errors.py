"""Failures in the shape that the API gives them."""

from typing import Any

DOCUMENTATION = "https://docs.stripe.com/error-codes/"


class StripeError(Exception):
    """Answered with `status` and `body()`; what the call wrote is taken back unless `keep` is set.

    A declined payment is kept: the failed attempt is part of the record.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        error_type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        keep: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = error_type
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.keep = keep
        self.extra = extra or {}

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code:
            error |= {"code": self.code, "doc_url": DOCUMENTATION + self.code.replace("_", "-")}
        if self.param:
            error["param"] = self.param
        if self.decline_code:
            error["decline_code"] = self.decline_code
        return {"error": error | self.extra}


def missing(kind: str, object_id: str, param: str = "id") -> StripeError:
    """404 for an object that is not there."""
    name = kind.rsplit(".", 1)[-1]
    return StripeError(f"No such {name}: '{object_id}'", status=404, code="resource_missing", param=param)


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """400 for a request that cannot be done as it was asked."""
    return StripeError(message, param=param, code=code)


def card_error(
    code: str, message: str, decline_code: str | None = None, *, keep: bool = False, **extra: Any
) -> StripeError:
    """402 for a card that cannot be charged; `extra` joins the error's body, e.g. payment_intent."""
    return StripeError(
        message, status=402, error_type="card_error", code=code, decline_code=decline_code, keep=keep, extra=extra
    )
