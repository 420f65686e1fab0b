"""The search finds what it is meant to find: without that its silence would prove nothing."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.canary.search import Canary, bare_canary, leaks, plain_canary, special_canary

KINDS = [plain_canary("plain"), bare_canary("bare"), special_canary("special")]
FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "reversed": lambda text: text[::-1],
    "beginning": lambda text: text[:24],
    "end": lambda text: text[-24:],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 inside": lambda text: base64.b64encode(b'{"a":"' + text.encode() + b'"}').decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(b"-" + text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "bytea": lambda text: f"\\x{text.encode().hex()}",
    "address": lambda text: quote(text, safe=""),
    "JSON": json.dumps,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "escapes of JSON": lambda text: "".join(f"\\u{ord(one):04x}" for one in text),
    "HTML": html.escape,
    "entities": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "Python": lambda text: repr(text.encode()),
    "UTF-16": lambda text: text.encode("utf-16-le").decode("latin-1"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("canary", KINDS, ids=lambda canary: canary.name)
def test_every_form_is_found(canary: Canary, form: Callable[[str], str]) -> None:
    """K2: by the canary's name, among other text."""
    found = leaks(f"before {form(canary.text)} after", KINDS)
    assert found
    assert all(leak.startswith(canary.name) for leak in found)


def test_last_four_are_no_leak() -> None:
    """K2: they may be shown, and so may how keys of a provider begin."""
    shown = " ".join(f"sk-proj-…{canary.text[-4:]}" for canary in KINDS)
    assert leaks(shown, KINDS) == []
