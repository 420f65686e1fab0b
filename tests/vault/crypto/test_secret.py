"""A secret shows its text to `reveal` alone."""

import copy
import json
import logging
import pickle
from dataclasses import dataclass
from pprint import pformat

import msgspec
import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context, Engine
from hypothesis import given, settings
from hypothesis import strategies as st

from vault.crypto.secret import Secret

TEXT = "sk-test-0123456789abcdefghij"


@dataclass
class Holder:
    secret: Secret


def test_secret_is_not_printed() -> None:
    """K2: in no way that Python has of printing."""
    secret = Secret(TEXT)
    printed = [
        str(secret),
        repr(secret),
        f"{secret}",
        f"{secret!r:>40}",
        pformat([secret]),
    ]
    assert all("<secret>" in text and TEXT[8:] not in text for text in printed)
    assert repr(Holder(secret)) == "Holder(secret=<secret>)"
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, msgspec.json.encode, bytes, list])
def test_secret_leaves_in_no_form(act: object) -> None:
    """K2: neither into a session, a cache, a task, a copy nor an answer."""
    assert callable(act)
    with pytest.raises(TypeError) as caught:
        act(Secret(TEXT))
    assert TEXT not in str(caught.value)


def test_secret_reaches_no_cache_and_no_django_json() -> None:
    """K2: what holds one is refused as a whole."""
    with pytest.raises(TypeError):
        LocMemCache("keys", {}).set("key", {"secret": Secret(TEXT)})
    with pytest.raises(TypeError):
        json.dumps([Secret(TEXT)], cls=DjangoJSONEncoder)


def test_template_cannot_reveal() -> None:
    """K2: Django's templates call methods by themselves, but not this one."""
    template = Engine().from_string("[{{ secret }}|{{ secret.reveal }}]")
    assert template.render(Context({"secret": Secret(TEXT)}, autoescape=False)) == "[<secret>|]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("abc", ""), ("abcd", "d"), ("abcdefgh", "gh"), ("abcdefghijkl", "jkl"), (TEXT, "ghij")],
)
def test_last_four(text: str, shown: str) -> None:
    """K2: four characters at most, and never more than a quarter of a key."""
    assert Secret(text).last_four == shown


@settings(deadline=None)
@given(st.text(), st.text())
def test_same_as(first: str, second: str) -> None:
    """K8: two secrets are the same where their texts are; `==` says nothing of texts."""
    assert Secret(first).same_as(Secret(second)) is (first == second)
    assert Secret(first) != Secret(first)


def test_text_that_cannot_be_written_is_refused() -> None:
    """K2: such a text would fail later, inside an error that repeats it."""
    with pytest.raises(ValueError, match="UTF-8") as caught:
        Secret("sk-\ud800")
    assert "sk-" not in str(caught.value)


def test_logged_secret_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """K2: as an argument of a log line."""
    logging.getLogger("tests").error("key %s", Secret(TEXT))
    assert caplog.messages == ["key <secret>"]
