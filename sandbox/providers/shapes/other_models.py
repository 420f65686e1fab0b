"""Models in languages of their own: Anthropic, Google, Ollama."""

from datetime import UTC, datetime

from sandbox.providers.keys import HEX, URL_SAFE
from sandbox.providers.provider import RETRY_AFTER, Call, Cause, Provider, Trouble
from sandbox.providers.shapes.completion import REPLY, messages_of, model_of, new_id, text_of, tokens
from sandbox.providers.shapes.openai_like import chat
from sandbox.providers.wire import Json


def _claude(name: str, label: str, day: str) -> Json:
    return {"type": "model", "id": name, "display_name": label, "created_at": f"{day}T00:00:00Z"}


CLAUDES = [
    _claude("claude-sonnet-4-5-20250929", "Claude Sonnet 4.5", "2025-09-29"),
    _claude("claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-01"),
]


def _message(call: Call) -> Json:
    model = model_of(call)
    asked = tokens(text_of(call.json.get("system")) + text_of(messages_of(call)))
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": REPLY}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": asked,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": tokens(REPLY),
            "service_tier": "standard",
        },
    }


ANTHROPIC = Provider(
    id="anthropic",
    name="Anthropic",
    kind="llm",
    form=("sk-ant-api03-", (URL_SAFE, 93), "AA"),
    find_key=lambda request: request.headers.get("x-api-key", ""),
    missing_header=lambda request: not request.headers.get("anthropic-version"),
    routes={
        "GET /v1/models": lambda _call: {
            "data": CLAUDES,
            "has_more": False,
            "first_id": CLAUDES[0]["id"],
            "last_id": CLAUDES[-1]["id"],
        },
        "POST /v1/messages": _message,
    },
    troubles={
        Cause.MISSING_KEY: Trouble(401, "authentication_error", "x-api-key header is required"),
        Cause.MISSING_HEADER: Trouble(400, "invalid_request_error", "anthropic-version: header is required"),
        Cause.INVALID: Trouble(401, "authentication_error", "invalid x-api-key"),
        Cause.RESTRICTED: Trouble(403, "permission_error", "Your API key may not use this resource."),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_error", "Your organization's rate limit is exceeded."),
        Cause.QUOTA_EXHAUSTED: Trouble(400, "invalid_request_error", "Your credit balance is too low."),
        Cause.BAD_REQUEST: Trouble(400, "invalid_request_error", "model and messages are required"),
        Cause.NOT_FOUND: Trouble(404, "not_found_error", "Not found"),
        Cause.BROKEN: Trouble(500, "api_error", "Internal server error"),
    },
    error_body=lambda trouble: {
        "type": "error",
        "error": {"type": trouble.code, "message": trouble.message},
        "request_id": new_id("req_"),
    },
)

_INFO = "type.googleapis.com/google.rpc."


def _gemini(name: str, label: str) -> Json:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": label,
        "description": "A model of the sandbox.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
    }


def _content(call: Call) -> Json:
    asked, said = tokens(text_of(messages_of(call, "contents"))), tokens(REPLY)
    content = {"parts": [{"text": REPLY}], "role": "model"}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": asked,
            "candidatesTokenCount": said,
            "totalTokenCount": asked + said,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": asked}],
        },
        "modelVersion": call.match["model"],
        "responseId": new_id("", 8),
    }


def _google_error(trouble: Trouble) -> Json:
    """`code` is Google's status and, after a slash, the reason in its details."""
    status, _, reason = trouble.code.partition("/")
    details: list[Json] = []
    if status == "RESOURCE_EXHAUSTED":
        violation = {
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": reason,
        }
        details.append({"@type": f"{_INFO}QuotaFailure", "violations": [violation]})
        details.append({"@type": f"{_INFO}RetryInfo", "retryDelay": f"{RETRY_AFTER}s"})
    elif reason:
        service = {"service": "generativelanguage.googleapis.com"}
        info = {"@type": f"{_INFO}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": service}
        details.append(info)
    error: Json = {"code": trouble.status, "message": trouble.message, "status": status}
    return {"error": error | ({"details": details} if details else {})}


GOOGLE = Provider(
    id="google",
    name="Google Gemini",
    kind="llm",
    form=("AIza", (URL_SAFE, 35)),
    find_key=lambda request: request.headers.get("x-goog-api-key", ""),  # in the query it would end in logs
    routes={
        "GET /v1beta/models": lambda _call: {
            "models": [_gemini("gemini-2.5-flash", "Gemini 2.5 Flash"), _gemini("gemini-2.5-pro", "Gemini 2.5 Pro")]
        },
        "POST /v1beta/models/(?P<model>[^/:]+):generateContent": _content,
    },
    troubles={
        Cause.MISSING_KEY: Trouble(403, "PERMISSION_DENIED", "Callers without an identity are not allowed here."),
        Cause.INVALID: Trouble(400, "INVALID_ARGUMENT/API_KEY_INVALID", "API key not valid."),
        Cause.RESTRICTED: Trouble(403, "PERMISSION_DENIED/API_KEY_SERVICE_BLOCKED", "The API is blocked for this key."),
        Cause.RATE_LIMITED: Trouble(
            429, "RESOURCE_EXHAUSTED/GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "Resource exhausted."
        ),
        Cause.QUOTA_EXHAUSTED: Trouble(
            429,
            "RESOURCE_EXHAUSTED/GenerateRequestsPerDayPerProjectPerModel-FreeTier",
            "You exceeded your current quota, please check your plan and billing details.",
        ),
        Cause.BAD_REQUEST: Trouble(400, "INVALID_ARGUMENT", "contents is not specified"),
        Cause.NOT_FOUND: Trouble(404, "NOT_FOUND", "There is no such method."),
        Cause.BROKEN: Trouble(500, "INTERNAL", "An internal error has occurred."),
    },
    error_body=_google_error,
)


def _tags(_call: Call) -> Json:
    details = {
        "parent_model": "",
        "format": "gguf",
        "family": "llama",
        "families": ["llama"],
        "parameter_size": "3.2B",
        "quantization_level": "Q4_K_M",
    }
    model = {
        "name": "llama3.2:latest",
        "model": "llama3.2:latest",
        "modified_at": "2026-01-05T09:30:00Z",
        "size": 2_019_393_189,
        "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
        "details": details,
    }
    return {"models": [model]}


def _ollama_chat(call: Call) -> Json:
    """One line is a whole stream, so that this is the answer with and without `stream`."""
    model, asked = model_of(call), tokens(text_of(messages_of(call)))
    return {
        "model": model,
        "created_at": datetime.now(UTC).isoformat(),
        "message": {"role": "assistant", "content": REPLY},
        "done": True,
        "done_reason": "stop",
        "total_duration": 412_000_000,
        "load_duration": 12_000_000,
        "prompt_eval_count": asked,
        "prompt_eval_duration": 90_000_000,
        "eval_count": tokens(REPLY),
        "eval_duration": 310_000_000,
    }


OLLAMA = Provider(
    id="ollama",
    name="Ollama",
    kind="llm",
    form=((HEX, 32), ".", (URL_SAFE, 24)),
    find_key=lambda request: request.bearer(),
    needs_key=False,
    routes={"GET /api/tags": _tags, "POST /api/chat": _ollama_chat, "POST /v1/chat/completions": chat},
    troubles={Cause.INVALID: Trouble(401, "", "unauthorized")},
    error_body=lambda trouble: {"error": trouble.message},
)

PROVIDERS = (ANTHROPIC, GOOGLE, OLLAMA)
