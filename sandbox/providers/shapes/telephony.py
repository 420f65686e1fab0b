"""Telephony: Twilio, Telnyx."""

from sandbox.providers.keys import ALPHANUMERIC, HEX, HEX_CAPITALS, State
from sandbox.providers.provider import Call, Cause, Provider, Refused, Trouble
from sandbox.providers.wire import Json

_RESOURCES = {"calls": "Calls", "messages": "Messages", "incoming_phone_numbers": "IncomingPhoneNumbers"}


def _account(call: Call, *, status: str = "active") -> Json:
    """Refused for the account of somebody else. The real answer repeats the token, too."""
    sid, _, token = call.key.partition(":")
    if call.match["account"] != sid:
        raise Refused(Cause.INVALID)
    address = f"/2010-04-01/Accounts/{sid}"
    return {
        "sid": sid,
        "owner_account_sid": sid,
        "friendly_name": "Sandbox account",
        "status": status,
        "type": "Full",
        "auth_token": token,
        "date_created": "Mon, 05 Jan 2026 09:30:00 +0000",
        "date_updated": "Mon, 05 Jan 2026 09:30:00 +0000",
        "uri": f"{address}.json",
        "subresource_uris": {name: f"{address}/{path}.json" for name, path in _RESOURCES.items()},
    }


def _twilio_error(trouble: Trouble) -> Json:
    more = f"https://www.twilio.com/docs/errors/{trouble.code}"
    return {"code": int(trouble.code), "message": trouble.message, "more_info": more, "status": trouble.status}


TWILIO = Provider(
    id="twilio",
    name="Twilio",
    kind="telephony",
    form=("AC", (HEX, 32), ":", (HEX, 32)),
    find_key=lambda request: request.user_and_password(),
    routes={r"GET /2010-04-01/Accounts/(?P<account>[^/]+?)\.json": _account},
    even_so={State.QUOTA_EXHAUSTED: lambda call: _account(call, status="suspended")},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "20003", "Authenticate"),
        Cause.INVALID: Trouble(401, "20003", "Authenticate"),
        Cause.RESTRICTED: Trouble(403, "70051", "Authorization error"),
        Cause.RATE_LIMITED: Trouble(429, "20429", "Too Many Requests"),
        Cause.QUOTA_EXHAUSTED: Trouble(403, "20005", "Account not active"),
        Cause.BAD_REQUEST: Trouble(400, "20001", "Bad request"),
        Cause.NOT_FOUND: Trouble(404, "20404", "The requested resource was not found"),
        Cause.BROKEN: Trouble(500, "20500", "Internal Server Error"),
    },
    error_body=_twilio_error,
    error_headers={"WWW-Authenticate": 'Basic realm="Twilio API"'},
)


def _balance(amount: str) -> Json:
    balance = {
        "record_type": "balance",
        "balance": amount,
        "credit_limit": "0.00",
        "available_credit": amount,
        "pending": "1.25",
        "currency": "USD",
    }
    return {"data": balance}


TELNYX = Provider(
    id="telnyx",
    name="Telnyx",
    kind="telephony",
    form=("KEY", (HEX_CAPITALS, 32), "_", (ALPHANUMERIC, 22)),
    find_key=lambda request: request.bearer(),
    routes={
        "GET /v2/balance": lambda _call: _balance("64.10"),
    },
    even_so={State.QUOTA_EXHAUSTED: lambda _call: _balance("0.00")},
    troubles={
        Cause.MISSING_KEY: Trouble(
            401, "10009", "The required authentication headers were absent.", "Authentication failed"
        ),
        Cause.INVALID: Trouble(401, "10009", "The API key looks malformed or is unknown.", "Authentication failed"),
        Cause.RESTRICTED: Trouble(403, "10010", "You do not have permission to do this.", "Authorization failed"),
        Cause.RATE_LIMITED: Trouble(
            429, "10011", "You have exceeded the maximum number of requests.", "Too many requests"
        ),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "20100", "The account has not enough credit.", "Insufficient Funds"),
        Cause.NOT_FOUND: Trouble(404, "10005", "The requested resource could not be found.", "Resource not found"),
        Cause.BROKEN: Trouble(500, "10007", "An unexpected error occurred.", "Unexpected error"),
    },
    error_body=lambda trouble: {
        "errors": [{"code": trouble.code, "title": trouble.kind or "Error", "detail": trouble.message}]
    },
)

PROVIDERS = (TWILIO, TELNYX)
