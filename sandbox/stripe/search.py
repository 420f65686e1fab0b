"""The search language: `metadata['k']:'v' AND status:'active'`, with `-` for not, `~` for a part, `>` and its kin."""

import re
from dataclasses import dataclass
from typing import Any

from sandbox.stripe.errors import invalid
from sandbox.stripe.listing import page_size
from sandbox.stripe.routing import Call
from sandbox.stripe.values import Json

TERM = re.compile(
    r"""\s*(?P<minus>-?)(?P<field>[a-z_.]+)(?:\[(?P<quote>["'])(?P<key>.+?)(?P=quote)\])?
    \s*(?P<operator>>=|<=|[:~><])\s*
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|(?P<bare>[\w.-]+))\s*""",
    re.VERBOSE,
)
JOINT = re.compile(r"(AND|OR)\b\s*", re.IGNORECASE)
ESCAPED = re.compile(r"\\(.)")
SHORTEST_PART = 3  # characters that `~` needs


@dataclass(frozen=True)
class Term:
    field: str
    key: str | None
    operator: str
    wanted: str
    is_bare: bool  # without quotes: a number or null
    is_negated: bool

    def fits(self, obj: Json) -> bool:
        return self._fits(self._value(obj)) != self.is_negated

    def _value(self, obj: Json) -> Any:
        value: Any = obj
        for part in (*self.field.split("."), *([self.key] if self.key is not None else [])):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _fits(self, value: Any) -> bool:
        if self.is_bare and self.wanted == "null":
            return value is None
        if value is None:
            return False
        if self.operator == ":":
            return _text(value) == self.wanted.lower()
        if self.operator == "~":
            return self.wanted.lower() in _text(value)
        return _compares(self.operator, float(value), float(self.wanted))


@dataclass(frozen=True)
class Query:
    terms: list[Term]
    joint: str

    def fits(self, obj: Json) -> bool:
        return (any if self.joint == "OR" else all)(term.fits(obj) for term in self.terms)


def searched(call: Call, items: list[Json], url: str, fields: set[str]) -> Json:
    """The page of the items, newest first, that fit the call's query; 400 for a field that cannot be searched."""
    query = parse(call.parameters["query"], fields)
    found = [item for item in items if query.fits(item)]
    limit, page = page_size(call.parameters), call.parameters.get("page", "0")
    if not page.isdecimal():
        raise invalid("Invalid page: take it from next_page of the page before.", "page")
    start = int(page)
    has_more = len(found) > start + limit
    return {
        "object": "search_result",
        "data": found[start : start + limit],
        "has_more": has_more,
        "next_page": str(start + limit) if has_more else None,
        "url": url,
    }


def parse(text: str, fields: set[str]) -> Query:
    """400 for what is no query, or asks for a field that is none of these; AND and OR are not mixed."""
    terms: list[Term] = []
    joints: set[str] = set()
    position = 0
    while True:
        match = TERM.match(text, position)
        if match is None:
            raise invalid(f"We were unable to parse your search query near: {text[position:]!r}", "query")
        terms.append(_term(match, fields))
        if match.end() == len(text):
            break
        joint = JOINT.match(text, match.end())
        joints.add(joint[1].upper() if joint else "AND")
        position = joint.end() if joint else match.end()
    if len(joints) > 1:
        raise invalid("You cannot combine AND and OR in one search query.", "query")
    return Query(terms, joints.pop() if joints else "AND")


def _term(match: re.Match[str], fields: set[str]) -> Term:
    if match["field"] not in fields:
        raise invalid(f"Field `{match['field']}` is an unsupported search field for this resource.", "query")
    quoted = match["double"] if match["double"] is not None else match["single"]
    wanted = match["bare"] if quoted is None else ESCAPED.sub(r"\1", quoted)
    operator = match["operator"]
    if operator == "~" and len(wanted) < SHORTEST_PART:
        raise invalid(f"A part of a text needs at least {SHORTEST_PART} characters.", "query")
    if operator in {">", "<", ">=", "<="} and not re.fullmatch(r"-?\d+(\.\d+)?", wanted):
        raise invalid(f"`{match['field']}` can only be compared with a number.", "query")
    return Term(match["field"], match["key"], operator, wanted, quoted is None, bool(match["minus"]))


def _text(value: Any) -> str:
    return str(value).lower()


def _compares(operator: str, value: float, wanted: float) -> bool:
    match operator:
        case ">":
            return value > wanted
        case "<":
            return value < wanted
        case ">=":
            return value >= wanted
        case _:
            return value <= wanted
