"""E-mail: SendGrid, Resend, Postmark."""

from sandbox.providers.keys import ALPHANUMERIC, HEX, URL_SAFE, State
from sandbox.providers.provider import Call, Cause, Provider, Trouble
from sandbox.providers.wire import Json

SENDGRID = Provider(
    id="sendgrid",
    name="SendGrid",
    kind="email",
    form=("SG.", (URL_SAFE, 22), ".", (URL_SAFE, 43)),
    find_key=lambda request: request.bearer(),
    routes={
        "GET /v3/scopes": lambda _call: {
            "scopes": ["mail.send", "mail.batch.create", "mail.batch.read", "sender_verification_eligible"]
        }
    },
    # Every key may ask what it may do.
    even_so={State.RESTRICTED: lambda _call: {"scopes": ["stats.read", "sender_verification_eligible"]}},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "", "Permission denied, wrong credentials"),
        Cause.INVALID: Trouble(401, "", "The provided authorization grant is invalid, expired, or revoked"),
        Cause.RESTRICTED: Trouble(403, "", "access forbidden"),
        Cause.RATE_LIMITED: Trouble(429, "", "too many requests"),
        Cause.QUOTA_EXHAUSTED: Trouble(401, "", "Maximum credits exceeded"),
    },
    error_body=lambda trouble: {"errors": [{"message": trouble.message, "field": None, "help": None}]},
)

RESEND = Provider(
    id="resend",
    name="Resend",
    kind="email",
    form=("re_", (ALPHANUMERIC, 8), "_", (ALPHANUMERIC, 24)),
    find_key=lambda request: request.bearer(),
    missing_header=lambda request: not request.headers.get("user-agent"),
    routes={
        "GET /domains": lambda _call: {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    "id": "d91cd9bd-1176-453e-8fc1-35364d380206",
                    "name": "mail.sandbox.example",
                    "status": "verified",
                    "created_at": "2026-01-05 09:30:00.123456+00",
                    "region": "eu-west-1",
                }
            ],
        }
    },
    troubles={
        Cause.MISSING_KEY: Trouble(401, "missing_api_key", "Missing API key in the authorization header"),
        Cause.MISSING_HEADER: Trouble(403, "validation_error", "The User-Agent header is missing."),
        Cause.INVALID: Trouble(403, "invalid_api_key", "API key is invalid"),
        Cause.RESTRICTED: Trouble(401, "restricted_api_key", "This API key is restricted to only send emails"),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_exceeded", "Too many requests."),
        Cause.QUOTA_EXHAUSTED: Trouble(429, "monthly_quota_exceeded", "You have reached your monthly email quota."),
        Cause.BROKEN: Trouble(500, "application_error", "An unexpected error occurred."),
    },
    error_body=lambda trouble: {
        "statusCode": trouble.status,
        "message": trouble.message,
        "name": trouble.code,
    },
)


def _server(call: Call) -> Json:
    """The real answer repeats the token, too."""
    return {
        "ID": 1_046_251,
        "Name": "Sandbox",
        "ApiTokens": [call.key],
        "ServerLink": "https://account.postmarkapp.com/servers/1046251/streams",
        "Color": "Blue",
        "SmtpApiActivated": True,
        "RawEmailEnabled": False,
        "DeliveryType": "Live",
        "InboundAddress": "b2c8@inbound.sandbox.example",
        "InboundHookUrl": "",
        "BounceHookUrl": "",
        "OpenHookUrl": "",
        "PostFirstOpenOnly": False,
        "TrackOpens": False,
        "TrackLinks": "None",
        "InboundDomain": "",
        "InboundHash": "b2c8",
        "InboundSpamThreshold": 0,
        "EnableSmtpApiErrorHooks": False,
    }


POSTMARK = Provider(
    id="postmark",
    name="Postmark",
    kind="email",
    form=((HEX, 8), "-", (HEX, 4), "-4", (HEX, 3), "-a", (HEX, 3), "-", (HEX, 12)),
    find_key=lambda request: request.headers.get("x-postmark-server-token", ""),
    routes={"GET /server": _server},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "10", "The Server Token you provided was not found."),
        Cause.INVALID: Trouble(401, "10", "The Server Token you provided was not found."),
        Cause.RESTRICTED: Trouble(422, "412", "The account is pending approval."),
        Cause.RATE_LIMITED: Trouble(429, "429", "Rate limit exceeded."),
        Cause.QUOTA_EXHAUSTED: Trouble(422, "405", "Not allowed to send: the account has run out of credits."),
        Cause.BAD_REQUEST: Trouble(422, "402", "Invalid JSON."),
        Cause.NOT_FOUND: Trouble(404, "404", "There is nothing at this address."),
        Cause.BROKEN: Trouble(500, "500", "Internal server error."),
    },
    error_body=lambda trouble: {"ErrorCode": int(trouble.code), "Message": trouble.message},
)

PROVIDERS = (SENDGRID, RESEND, POSTMARK)
