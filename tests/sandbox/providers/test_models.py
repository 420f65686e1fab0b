"""Providers of models: their checks, their refusals, their completions (K3)."""

from typing import Any

import pytest

from sandbox.providers.process import ProvidersSandbox
from tests.sandbox.providers.conftest import Ask

VERSION = {"anthropic-version": "2023-06-01"}
HELLO: list[dict[str, Any]] = [{"role": "user", "content": "How many tokens are in here?"}]  # 28 characters


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_openai_tells_a_restricted_key_from_an_unknown_one(sandbox: ProvidersSandbox, ask: Ask) -> None:
    check = "/openai/v1/models"
    assert ask(check, {}).body["error"]["code"] is None
    assert ask(check, bearer(sandbox.key("openai"))).body["data"][0]["object"] == "model"
    restricted = ask(check, bearer(sandbox.key("openai", "restricted")))
    assert (restricted.status, restricted.body["error"]["code"]) == (401, "missing_scope")
    unknown = ask(check, bearer("sk-proj-made-up"))
    assert (unknown.status, unknown.body["error"]["code"]) == (401, "invalid_api_key")


def test_openai_says_which_limit_is_reached(sandbox: ProvidersSandbox, ask: Ask) -> None:
    limited = ask("/openai/v1/models", bearer(sandbox.key("openai", "rate_limited")))
    assert (limited.status, limited.body["error"]["code"], limited.headers["retry-after"]) == (
        429,
        "rate_limit_exceeded",
        "20",
    )
    spent = ask("/openai/v1/models", bearer(sandbox.key("openai", "quota_exhausted")))
    assert (spent.status, spent.body["error"]["type"]) == (429, "insufficient_quota")
    assert "retry-after" not in spent.headers


def test_anthropic_wants_its_version(sandbox: ProvidersSandbox, ask: Ask) -> None:
    key = {"x-api-key": sandbox.key("anthropic")}
    assert ask("/anthropic/v1/models", key).body["error"]["type"] == "invalid_request_error"
    assert ask("/anthropic/v1/models", key | VERSION).body["data"][0]["type"] == "model"
    wrong = ask("/anthropic/v1/models", {"x-api-key": "sk-ant-made-up"} | VERSION)
    assert (wrong.status, wrong.body["error"]["type"]) == (401, "authentication_error")


def test_google_takes_no_key_from_the_address(sandbox: ProvidersSandbox, ask: Ask) -> None:
    check, key = "/google/v1beta/models", sandbox.key("google")
    assert ask(check, {"x-goog-api-key": key}).body["models"][0]["name"].startswith("models/")
    assert ask(f"{check}?key={key}", {}).status == 403
    wrong = ask(check, {"x-goog-api-key": "AIza-made-up"})
    assert (wrong.status, wrong.body["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")


def test_deepseek_and_openrouter_answer_a_key_without_money(sandbox: ProvidersSandbox, ask: Ask) -> None:
    spent = ask("/deepseek/user/balance", bearer(sandbox.key("deepseek", "quota_exhausted")))
    assert (spent.status, spent.body["is_available"]) == (200, False)
    spent = ask("/openrouter/api/v1/key", bearer(sandbox.key("openrouter", "quota_exhausted")))
    assert (spent.status, spent.body["data"]["limit_remaining"]) == (200, 0.0)


def test_ollama_asks_for_no_key_but_knows_a_bad_one(sandbox: ProvidersSandbox, ask: Ask) -> None:
    assert ask("/ollama/api/tags", {}).body["models"][0]["name"] == "llama3.2:latest"
    assert ask("/ollama/api/tags", bearer("anything")).status == 200
    assert ask("/ollama/api/tags", bearer(sandbox.key("ollama", "invalid"))).body == {"error": "unauthorized"}


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        ("openai", "/v1/chat/completions"),
        ("groq", "/openai/v1/chat/completions"),
        ("deepseek", "/chat/completions"),
        ("openrouter", "/api/v1/chat/completions"),
        ("together", "/v1/chat/completions"),
    ],
)
def test_completions_in_openai_s_form_count_their_tokens(
    sandbox: ProvidersSandbox, ask: Ask, provider: str, path: str
) -> None:
    body = {"model": "any", "messages": HELLO}
    done = ask(f"/{provider}{path}", bearer(sandbox.key(provider)), body).body
    assert (done["model"], done["choices"][0]["message"]["role"]) == ("any", "assistant")
    assert (done["usage"]["prompt_tokens"], done["usage"]["completion_tokens"]) == (7, 21)
    spent = ask(f"/{provider}{path}", bearer(sandbox.key(provider, "quota_exhausted")), body)
    assert spent.status in {400, 402, 429}
    assert ask(f"/{provider}{path}", bearer("made-up"), body).status == 401
    assert ask(f"/{provider}{path}", bearer(sandbox.key(provider)), {"model": "any"}).status == 400


def test_the_others_complete_in_forms_of_their_own(sandbox: ProvidersSandbox, ask: Ask) -> None:
    claude = {"x-api-key": sandbox.key("anthropic")} | VERSION
    done = ask("/anthropic/v1/messages", claude, {"model": "claude", "max_tokens": 50, "messages": HELLO}).body
    assert (done["type"], done["usage"]["input_tokens"], done["usage"]["output_tokens"]) == ("message", 7, 21)
    gemini = {"x-goog-api-key": sandbox.key("google")}
    contents = {"contents": [{"parts": [{"text": HELLO[0]["content"]}]}]}
    done = ask("/google/v1beta/models/gemini-2.5-flash:generateContent", gemini, contents).body
    assert (done["usageMetadata"]["totalTokenCount"], done["modelVersion"]) == (28, "gemini-2.5-flash")
    done = ask("/ollama/api/chat", {}, {"model": "llama3.2", "messages": HELLO}).body
    assert (done["done"], done["prompt_eval_count"], done["eval_count"]) == (True, 7, 21)
