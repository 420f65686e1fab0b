"""Keys are taken out of texts by value, in each of their spellings, and by their look."""

import gc
import json
import re
from base64 import b64encode
from html import escape
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenants.api_keys import generate_key
from vault.crypto.redaction import REDACTED, redact
from vault.crypto.secret import Secret
from vault.providers import PROVIDERS

ODD = 'a"b\\c/d+e f&g<hé-Q7w9'


def test_live_value_is_redacted_in_every_spelling() -> None:
    """K2: as an address, JSON, Python, HTML and basic authentication write it."""
    secret = Secret(ODD)
    spellings = [
        ODD,
        quote(ODD),
        quote(ODD, safe=""),
        quote_plus(ODD),
        urlencode({"x": ODD}).removeprefix("x="),
        json.dumps(ODD)[1:-1],
        json.dumps(ODD, ensure_ascii=False)[1:-1],
        repr(ODD)[1:-1],
        escape(ODD),
        b64encode(ODD.encode()).decode(),
    ]
    assert [redact(f"before {spelling} after") for spelling in spellings] == [f"before {REDACTED} after"] * 10
    del secret


def test_value_is_forgotten_with_its_secret() -> None:
    """K2: what is redacted by value is not kept in memory for it."""
    secret = Secret("plain-words-of-no-known-form")
    assert redact("x plain-words-of-no-known-form") == f"x {REDACTED}"
    del secret
    gc.collect()
    assert redact("x plain-words-of-no-known-form") == "x plain-words-of-no-known-form"


def test_parts_of_a_pair_are_redacted() -> None:
    """K3: telephony keys are an account and a token; the token alone opens the account."""
    pair = Secret("ACcount0123456789abcdef:t0ken0123456789abcdef")
    assert redact("sent t0ken0123456789abcdef") == f"sent {REDACTED}"
    del pair


def test_longer_value_is_redacted_as_a_whole() -> None:
    """K2: a key that begins like another leaves no rest of it."""
    secrets = [Secret("first-part-of-it"), Secret("first-part-of-it-and-the-rest")]
    assert redact("first-part-of-it-and-the-rest") == REDACTED
    del secrets


def test_short_value_blots_out_no_text() -> None:
    """K2: a value of three characters is in every second word."""
    secret = Secret("abc")
    assert redact("abc abcdef") == "abc abcdef"
    del secret


@pytest.mark.parametrize(
    "key",
    [
        "sk-ant-api03-" + "aB3_-x" * 15 + "AA",
        "sk-proj-" + "aB3_-x" * 20,
        "sk-svcacct-" + "aB3x" * 20,
        "sk-or-v1-" + "0123456789abcdef" * 4,
        "sk-" + "0123456789abcdef" * 2,
        "sk_" + "0123456789abcdef" * 3,
        "sk_car_" + "aB3x" * 6,
        "sk_test_" + "aB3x" * 8,
        "rk_live_" + "aB3x" * 8,
        "whsec_" + "aB3x" * 8,
        "AIza" + "aB3-_" * 7,
        "gsk_" + "aB3x" * 13,
        "tgp_v1_" + "aB3x" * 11,
        "SG." + "aB3-_x" * 4 + "." + "aB3-_x" * 7,
        "re_" + "aB3x" * 2 + "_" + "aB3x" * 6,
        "KEY" + "0123456789ABCDEF" * 2 + "_aB3xaB3x",
        generate_key(),
    ],
    ids=[str(number) for number in range(17)],  # an id must not change from worker to worker
)
def test_what_looks_like_a_key_is_redacted(key: str) -> None:
    """K2: also one that was never made a `Secret`, alone or inside of JSON."""
    assert redact(f'refused {{"text": "{key}"}}') == f'refused {{"text": "{REDACTED}"}}'


@pytest.mark.parametrize("provider", [provider.id for provider in PROVIDERS.values() if provider.key_pattern])
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_every_providers_keys_are_redacted(provider: str, data: st.DataObject) -> None:
    """K3: whatever form the registry says that a provider's keys have."""
    pattern = re.compile(PROVIDERS[provider].key_pattern, re.ASCII)
    key = data.draw(st.from_regex(pattern, fullmatch=True).filter(lambda text: re.search("[0-9A-Z]", text[3:])))
    assert redact(f"refused {key}.") == f"refused {REDACTED}."


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("GET /v1/models?key=abc-123&page=2", f"GET /v1/models?key={REDACTED}&page=2"),
        ("/x?page=2&access_token=abc.123", f"/x?page=2&access_token={REDACTED}"),
        ("Authorization: Bearer abcdef0123", f"Authorization: Bearer {REDACTED}"),
        ("authorization: basic QUJDOmRlZg==", f"authorization: basic {REDACTED}"),
        ('{"api_key": "ab cd-12", "name": "main"}', f'{{"api_key": "{REDACTED}", "name": "main"}}'),
        (r"said {\"secret\": \"abcd12\"}", rf"said {{\"secret\": \"{REDACTED}\"}}"),
        ("{'password': b'abcd12'}", f"{{'password': b'{REDACTED}'}}"),
        ("Answer(api_key='abcd12', version=1)", f"Answer(api_key='{REDACTED}', version=1)"),
        ("no answer from redis://user:pass@cache/0", f"no answer from redis://{REDACTED}@cache/0"),
    ],
)
def test_announced_key_is_redacted(text: str, redacted: str) -> None:
    """K2: whatever its form, where the text itself says that a key follows."""
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "Key (id)=(0190a1b2-0000-7000-8000-000000000000) already exists.",
        "cred_0190a1b200007000800000000000 of tenant-7, aut_0190a1b2, subscription sub_1Q2w3e",
        "GET /v1/vault/credentials?provider=openai&limit=20",
        '{"event": "stripe_event_failed", "key": "cus_1Q2w3e", "error": "no answer"}',
        "https://models.example.com:8080/v1?token_limit=4000, DataKey(id=7, monkey='business')",
        "sk-short, task-runner-of-the-night-shift, risk-assessment-and-mitigation",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    """K2: ids and words are what logs are read for."""
    assert redact(text) == text
