"""What every stand-in for a model says, and how it counts."""

from collections.abc import Iterable
from secrets import token_hex
from typing import Any

from sandbox.providers.provider import Call, Cause, Refused

REPLY = "This is the sandbox: no model has read your message, but the usage figures are real."
CHARACTERS_A_TOKEN = 4


def tokens(text: str) -> int:
    """About as many as a tokenizer would count in English prose."""
    return max(1, len(text) // CHARACTERS_A_TOKEN)


def new_id(prefix: str, size: int = 12) -> str:
    return f"{prefix}{token_hex(size)}"


def model_of(call: Call) -> str:
    """The model that is asked for; Refused where none is."""
    model = call.json.get("model")
    if not isinstance(model, str) or not model:
        raise Refused(Cause.BAD_REQUEST)
    return model


def messages_of(call: Call, name: str = "messages") -> list[Any]:
    """The conversation; Refused where there is none, or where it is asked to arrive in pieces."""
    messages = call.json.get(name)
    if not isinstance(messages, list) or not messages:
        raise Refused(Cause.BAD_REQUEST)
    return messages


def text_of(part: object) -> str:
    """All text inside of a message, however deep its parts lie."""
    if isinstance(part, str):
        return part
    children: Iterable[object] = ()
    if isinstance(part, dict):
        children = (value for name, value in part.items() if name in {"content", "text", "parts"})
    elif isinstance(part, list):
        children = part
    return "".join(map(text_of, children))
