"""Speech to text and back: Deepgram, AssemblyAI, ElevenLabs, Cartesia."""

from uuid import uuid4

from sandbox.providers.keys import ALPHANUMERIC, HEX
from sandbox.providers.provider import Call, Cause, Provider, Trouble
from sandbox.providers.wire import Json, Request

DEEPGRAM = Provider(
    id="deepgram",
    name="Deepgram",
    kind="stt",
    form=((HEX, 40),),
    find_key=lambda request: request.after_scheme("token"),
    routes={
        "GET /v1/auth/token": lambda _call: {
            "api_key_id": "6d3f6a0e-8f3c-4a77-9d0a-2f6f2f6b1c11",
            "accessor": "0b7a2d6e-52a1-4a2e-8d5e-90f5a1a3b6c2",
            "scopes": ["member", "usage:write"],
            "created": "2026-01-05T09:30:00.000Z",
        }
    },
    troubles={
        Cause.MISSING_KEY: Trouble(401, "INVALID_AUTH", "Invalid credentials."),
        Cause.INVALID: Trouble(401, "INVALID_AUTH", "Invalid credentials."),
        Cause.RESTRICTED: Trouble(403, "INSUFFICIENT_PERMISSIONS", "The key lacks a scope that this needs."),
        Cause.RATE_LIMITED: Trouble(429, "TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "ASR_PAYMENT_REQUIRED", "The project does not have enough credits."),
    },
    error_body=lambda trouble: {
        "err_code": trouble.code,
        "err_msg": trouble.message,
        "request_id": str(uuid4()),
    },
)


def _transcripts(call: Call) -> Json:
    number = "61dbb3a4-4b1e-4d7b-9b68-2f0f5a1f7a55"
    transcript = {
        "id": number,
        "resource_url": f"https://api.assemblyai.com/v2/transcript/{number}",
        "status": "completed",
        "created": "2026-01-05T09:30:00.123456",
        "completed": "2026-01-05T09:30:21.654321",
        "audio_url": "https://storage.example/call.wav",
        "error": None,
    }
    pages = {
        "limit": 10,
        "result_count": 1,
        "current_url": "https://api.assemblyai.com/v2/transcript?limit=10",
        "prev_url": None,
        "next_url": None,
    }
    return {"page_details": pages, "transcripts": [transcript]}


ASSEMBLYAI = Provider(
    id="assemblyai",
    name="AssemblyAI",
    kind="stt",
    form=((HEX, 32),),
    find_key=lambda request: request.headers.get("authorization", ""),  # the key alone, without a scheme
    routes={"GET /v2/transcript": _transcripts},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "", "Authentication error, API token missing/invalid"),
        Cause.INVALID: Trouble(401, "", "Authentication error, API token missing/invalid"),
        Cause.RESTRICTED: Trouble(403, "", "The account may not use this."),
        Cause.RATE_LIMITED: Trouble(429, "", "Too many requests"),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "", "The account's balance is negative."),
    },
    error_body=lambda trouble: {"error": trouble.message},
)


def _user(_call: Call) -> Json:
    subscription = {
        "tier": "creator",
        "character_count": 24_310,
        "character_limit": 110_000,
        "max_character_limit_extension": 0,
        "can_extend_character_limit": False,
        "allowed_to_extend_character_limit": False,
        "next_character_count_reset_unix": 1_798_761_600,
        "voice_slots_used": 2,
        "professional_voice_slots_used": 0,
        "voice_limit": 30,
        "can_extend_voice_limit": False,
        "can_use_instant_voice_cloning": True,
        "can_use_professional_voice_cloning": True,
        "currency": "usd",
        "status": "active",
        "billing_period": "monthly_period",
    }
    return {
        "user_id": "f3a1b7c2d9e84a5fb6c0",
        "subscription": subscription,
        "is_new_user": False,
        "can_use_delayed_payment_methods": False,
        "is_onboarding_completed": True,
        "is_onboarding_checklist_completed": True,
        "first_name": "Ada",
        "created_at": 1_735_689_600,
    }


ELEVENLABS = Provider(
    id="elevenlabs",
    name="ElevenLabs",
    kind="tts",
    form=("sk_", (HEX, 48)),
    find_key=lambda request: request.headers.get("xi-api-key", ""),
    routes={"GET /v1/user": _user},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "needs_authorization", "There is no xi-api-key header."),
        Cause.INVALID: Trouble(401, "invalid_api_key", "Invalid API key"),
        Cause.RESTRICTED: Trouble(401, "missing_permissions", "The API key is missing the permission user_read."),
        Cause.RATE_LIMITED: Trouble(429, "too_many_concurrent_requests", "Too many concurrent requests."),
        Cause.QUOTA_EXHAUSTED: Trouble(401, "quota_exceeded", "This request exceeds your quota."),
    },
    error_body=lambda trouble: {"detail": {"status": trouble.code, "message": trouble.message}},
)


def _cartesia_key(request: Request) -> str:
    """Older clients send it in a header of its own."""
    return request.bearer() or request.headers.get("x-api-key", "")


def _voices(_call: Call) -> Json:
    voice = {
        "id": "a0e99841-438c-4a64-b679-ae501e7d6091",
        "is_owner": False,
        "is_public": True,
        "name": "Sandbox Reader",
        "description": "A calm voice that reads nothing at all.",
        "gender": "feminine",
        "created_at": "2026-01-05T09:30:00.000000Z",
        "language": "en",
    }
    return {"data": [voice], "has_more": False, "next_page": None}


def _cartesia_error(trouble: Trouble) -> Json:
    title = trouble.code.replace("_", " ").capitalize()
    return {"error_code": trouble.code, "title": title, "message": trouble.message, "request_id": str(uuid4())}


CARTESIA = Provider(
    id="cartesia",
    name="Cartesia",
    kind="tts",
    form=("sk_car_", (ALPHANUMERIC, 22)),
    find_key=_cartesia_key,
    missing_header=lambda request: not request.headers.get("cartesia-version"),
    routes={"GET /voices/?": _voices},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "unauthorized", "No API key or access token was sent."),
        Cause.MISSING_HEADER: Trouble(400, "version_required", "The Cartesia-Version header is required."),
        Cause.INVALID: Trouble(401, "invalid_api_key", "The API key is not valid."),
        Cause.RESTRICTED: Trouble(403, "forbidden", "The key may not do this."),
        Cause.RATE_LIMITED: Trouble(429, "concurrency_limited", "You have exceeded your plan's concurrency limit."),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "quota_exceeded", "The credits of your plan are used up."),
    },
    error_body=_cartesia_error,
)

PROVIDERS = (DEEPGRAM, ASSEMBLYAI, ELEVENLABS, CARTESIA)
