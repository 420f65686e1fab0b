"""Bracketed form fields, as the API's clients write nested values: `items[0][price]=p` and `expand[]=customer`."""

import re
from urllib.parse import parse_qsl

from sandbox.stripe.errors import invalid
from sandbox.stripe.values import Json

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")
MOST_FIELDS = 10_000


def decode(text: str) -> Json:
    """The nested value of a query or a form body: every leaf is a string, every container a dictionary, lists too.

    400 for names that contradict each other.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise invalid("The request's parameters cannot be decoded.") from error
    root: Json = {}
    for name, value in pairs:
        _place(root, name, value)
    return root


def _place(root: Json, name: str, value: str) -> None:
    match = NAME.fullmatch(name)
    if match is None:
        raise invalid(f"Invalid parameter name: {name}", name)
    path = [match[1], *PART.findall(match[2])]
    node = root
    for part in path[:-1]:
        node = node.setdefault(_key(node, part, is_last=False), {})
        if not isinstance(node, dict):
            raise invalid(f"Invalid parameter: {name} is both a value and a container.", name)
    last = _key(node, path[-1], is_last=True)
    if isinstance(node.get(last), dict):
        raise invalid(f"Invalid parameter: {name} is both a value and a container.", name)
    node[last] = value


def _key(node: Json, part: str, *, is_last: bool) -> str:
    """`[]` adds an element; in the middle of a name (`items[][price]`) fields join the newest one."""
    if part:
        return part
    return str(len(node)) if is_last or not node else str(len(node) - 1)
