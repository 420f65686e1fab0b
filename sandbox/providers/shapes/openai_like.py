"""OpenAI, and those who speak its language with errors of their own: Groq, DeepSeek, OpenRouter, Together."""

import time
from typing import Any

from sandbox.providers.keys import ALPHANUMERIC, HEX, URL_SAFE, State
from sandbox.providers.provider import Call, Cause, Provider, Trouble
from sandbox.providers.shapes.completion import REPLY, messages_of, model_of, new_id, text_of, tokens
from sandbox.providers.wire import Json, Request

BORN = 1_735_689_600  # when every model here was made, as unix seconds


def chat(call: Call) -> Json:
    """A completion in OpenAI's form, not streamed."""
    model, asked = model_of(call), tokens(text_of(messages_of(call)))
    said = tokens(REPLY)
    message: Json = {"role": "assistant", "content": REPLY, "refusal": None, "annotations": []}
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": asked,
            "completion_tokens": said,
            "total_tokens": asked + said,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }


def error_body(trouble: Trouble) -> Json:
    """In OpenAI's form."""
    error = {
        "message": trouble.message,
        "type": trouble.kind or "invalid_request_error",
        "param": None,
        "code": trouble.code or None,
    }
    return {"error": error}


def _bearer(request: Request) -> str:
    return request.bearer()


def _models(*names: str, owner: str, **more: Any) -> list[Json]:
    return [{"id": name, "object": "model", "created": BORN, "owned_by": owner} | more for name in names]


def _listed(models: list[Json]) -> Json:
    return {"object": "list", "data": models}


OPENAI = Provider(
    id="openai",
    name="OpenAI",
    kind="llm",
    form=("sk-proj-", (URL_SAFE, 74), "T3BlbkFJ", (URL_SAFE, 74)),
    find_key=_bearer,
    routes={
        "GET /v1/models": lambda _call: _listed(
            _models("gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "text-embedding-3-small", owner="system")
        ),
        "POST /v1/chat/completions": chat,
    },
    troubles={
        Cause.MISSING_KEY: Trouble(401, "", "You did not provide an API key in the Authorization header."),
        Cause.INVALID: Trouble(401, "invalid_api_key", "Incorrect API key provided."),
        Cause.RESTRICTED: Trouble(
            401,
            "missing_scope",
            "You have insufficient permissions for this operation. Missing scopes: api.model.read.",
        ),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_exceeded", "Rate limit reached for requests.", "requests"),
        Cause.QUOTA_EXHAUSTED: Trouble(
            429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"
        ),
        Cause.BROKEN: Trouble(500, "", "The server had an error.", "server_error"),
    },
    error_body=error_body,
)

GROQ = Provider(
    id="groq",
    name="Groq",
    kind="llm",
    form=("gsk_", (ALPHANUMERIC, 20), "WGdyb3FY", (ALPHANUMERIC, 24)),
    find_key=_bearer,
    routes={
        "GET /openai/v1/models": lambda _call: _listed(
            _models(
                "llama-3.3-70b-versatile", "llama-3.1-8b-instant", owner="Meta", active=True, context_window=131_072
            )
        ),
        "POST /openai/v1/chat/completions": chat,
    },
    troubles={
        Cause.INVALID: Trouble(401, "invalid_api_key", "Invalid API Key"),
        Cause.RESTRICTED: Trouble(
            403, "model_permission_blocked_project", "The project may not use this.", "permissions_error"
        ),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_exceeded", "Rate limit reached for the organization.", "requests"),
        Cause.QUOTA_EXHAUSTED: Trouble(400, "blocked_api_access", "The organization has reached its spend limit."),
        Cause.BROKEN: Trouble(500, "", "Internal Server Error", "internal_server_error"),
    },
    error_body=lambda trouble: {
        "error": {
            "message": trouble.message,
            "type": trouble.kind or "invalid_request_error",
            "code": trouble.code or None,
        }
    },
)


def _balance(amount: str) -> Json:
    balance = {"currency": "USD", "total_balance": amount, "granted_balance": "0.00", "topped_up_balance": amount}
    return {"is_available": amount != "0.00", "balance_infos": [balance]}


DEEPSEEK = Provider(
    id="deepseek",
    name="DeepSeek",
    kind="llm",
    form=("sk-", (HEX, 32)),
    find_key=_bearer,
    routes={
        "GET /user/balance": lambda _call: _balance("48.20"),
        "GET (/v1)?/models": lambda _call: _listed(_models("deepseek-chat", "deepseek-reasoner", owner="deepseek")),
        "POST (/v1)?/chat/completions": chat,
    },
    even_so={State.QUOTA_EXHAUSTED: lambda _call: _balance("0.00")},
    troubles={
        Cause.MISSING_KEY: Trouble(
            401, "invalid_request_error", "Authentication fails, no API key.", "authentication_error"
        ),
        Cause.INVALID: Trouble(
            401, "invalid_request_error", "Authentication fails, your API key is invalid.", "authentication_error"
        ),
        Cause.RESTRICTED: Trouble(
            403, "invalid_request_error", "The key may not be used from here.", "permission_error"
        ),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_exceeded", "Rate limit reached.", "rate_limit_error"),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "invalid_request_error", "Insufficient Balance", "unknown_error"),
    },
    error_body=error_body,
)


def _key_facts(call: Call, *, left: float | None = None) -> Json:
    facts = {
        "label": f"{call.key[:13]}...{call.key[-3:]}",
        "limit": None if left is None else 25.0,
        "limit_reset": None,
        "limit_remaining": left,
        "include_byok_in_limit": False,
        "usage": 25.0,
        "usage_daily": 0.4,
        "usage_weekly": 2.1,
        "usage_monthly": 9.6,
        "is_free_tier": False,
        "is_provisioning_key": False,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "Kept for old clients."},
    }
    return {"data": facts}


OPENROUTER = Provider(
    id="openrouter",
    name="OpenRouter",
    kind="llm",
    form=("sk-or-v1-", (HEX, 64)),
    find_key=_bearer,
    routes={"GET /api/v1/key": _key_facts, "POST /api/v1/chat/completions": chat},
    even_so={State.QUOTA_EXHAUSTED: lambda call: _key_facts(call, left=0.0)},
    troubles={
        Cause.MISSING_KEY: Trouble(401, "", "No auth credentials found"),
        Cause.INVALID: Trouble(401, "", "User not found."),
        Cause.RESTRICTED: Trouble(403, "", "The key's guardrails forbid this."),
        Cause.RATE_LIMITED: Trouble(429, "", "Rate limit exceeded."),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "", "Insufficient credits."),
    },
    error_body=lambda trouble: {"error": {"message": trouble.message, "code": trouble.status}},
)

TOGETHER = Provider(
    id="together",
    name="Together",
    kind="llm",
    form=("tgp_v1_", (URL_SAFE, 43)),
    find_key=_bearer,
    routes={
        # Not wrapped in an object, unlike everybody else's list.
        "GET /v1/models": lambda _call: [
            {
                "id": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
                "object": "model",
                "created": BORN,
                "type": "chat",
                "running": False,
                "display_name": "Meta Llama 3.3 70B Instruct Turbo",
                "organization": "Meta",
                "link": "",
                "context_length": 131_072,
                "config": {"chat_template": None, "stop": ["<|eot_id|>"], "bos_token": None, "eos_token": None},
                "pricing": {"hourly": 0, "input": 0.88, "output": 0.88, "base": 0, "finetune": 0},
            }
        ],
        "POST /v1/chat/completions": chat,
    },
    troubles={
        Cause.MISSING_KEY: Trouble(401, "missing_api_key", "Missing API key."),
        Cause.INVALID: Trouble(401, "invalid_api_key", "Invalid API key provided."),
        Cause.RESTRICTED: Trouble(403, "access_denied", "The key may not do this.", "access_denied"),
        Cause.RATE_LIMITED: Trouble(429, "rate_limit_exceeded", "Too many requests.", "rate_limit"),
        Cause.QUOTA_EXHAUSTED: Trouble(402, "", "Credit limit exceeded.", "credit_limit"),
    },
    error_body=lambda trouble: {"id": new_id("o"), **error_body(trouble)},
)

PROVIDERS = (OPENAI, GROQ, DEEPSEEK, OPENROUTER, TOGETHER)
