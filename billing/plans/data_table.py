"""Strict reading of hand-edited data files: every value by its type, and nothing that nobody asked for."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TypeVar, cast

Choice = TypeVar("Choice", bound=StrEnum)

UNLIMITED = "unlimited"
"""How a file writes "no limit"; TOML has no null."""

LARGEST_WHOLE = 2**63 - 1  # what the database's bigint holds
MOST_DIGITS = 15  # before the point


class DataFileError(ValueError):
    """A data file that cannot be used. The message names file, table and key."""

    def __init__(self, source: str, where: str, problem: str) -> None:
        self.source = source
        self.where = where
        self.problem = problem
        super().__init__(f"{source}: {where}: {problem}" if where else f"{source}: {problem}")


def read_text(path: Path) -> str:
    """A data file's text. Raises DataFileError where it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataFileError(path.name, "", f"is not UTF-8 text (byte {error.start})") from error


class Table:
    """One table of a file. Each getter marks its key as known; `finish` refuses the keys that are left."""

    def __init__(self, content: Mapping[str, object], *, source: str, where: str = "") -> None:
        self.source = source
        self.where = where
        self._content = content
        self._known: set[str] = set()

    def names(self) -> tuple[str, ...]:
        return tuple(self._content)

    def has(self, key: str) -> bool:
        return key in self._content

    def path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def error(self, key: str, problem: str) -> DataFileError:
        return DataFileError(self.source, self.path(key), problem)

    def value(self, key: str) -> object:
        self._known.add(key)
        if key not in self._content:
            raise self.error(key, "is missing")
        return self._content[key]

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be a text that is not empty")
        return value

    def flag(self, key: str) -> bool:
        value = self.value(key)
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def whole(self, key: str, *, minimum: int = 0) -> int:
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise self.error(key, f"must be a whole number of at least {minimum}")
        if value > LARGEST_WHOLE:
            raise self.error(key, "is too large")
        return value

    def decimal(self, key: str, *, places: int) -> Decimal:
        """A number of at least zero with at most `places` decimals, as `tomllib` reads it with parse_float=Decimal."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.error(key, "must be a number")
        return self._checked(key, Decimal(value), places)

    def decimal_text(self, key: str, *, places: int) -> Decimal:
        """The same written as a string, for JSON, whose numbers many readers turn into floats."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self.error(key, "must be a decimal number in quotes")
        try:
            number = Decimal(value)
        except InvalidOperation as error:
            raise self.error(key, "must be a decimal number in quotes") from error
        return self._checked(key, number, places)

    def choice(self, key: str, choices: type[Choice]) -> Choice:
        value = self.value(key)
        for choice in choices:
            if value == choice.value:
                return choice
        raise self.error(key, f"must be one of {', '.join(choice.value for choice in choices)}")

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.error(key, "must be a list of texts")
        if len(set(value)) != len(value):
            raise self.error(key, "names the same entry twice")
        return tuple(value)

    def table(self, key: str) -> "Table":
        return self._table(key, self.value(key))

    def tables(self, key: str) -> tuple["Table", ...]:
        value = self.value(key)
        if not isinstance(value, list):
            raise self.error(key, "must be a list of tables")
        return tuple(self._table(f"{key}[{index}]", item) for index, item in enumerate(value))

    def finish(self) -> None:
        """Refuse a misspelt key: silently ignored, it would be a limit or a price that nobody applies."""
        unknown = sorted(set(self._content) - self._known)
        if unknown:
            raise self.error(unknown[0], "is not a known key")

    def _table(self, key: str, value: object) -> "Table":
        if not isinstance(value, dict):
            raise self.error(key, "must be a table")
        return Table(cast("dict[str, object]", value), source=self.source, where=self.path(key))

    def _checked(self, key: str, number: Decimal, places: int) -> Decimal:
        if not number.is_finite() or number < 0:
            raise self.error(key, "must be a number of at least 0")
        if number.adjusted() >= MOST_DIGITS:
            raise self.error(key, "is too large")
        if number and (number.adjusted() < -places or not _fits(number, places)):
            raise self.error(key, f"has more than {places} decimals")
        return number


def _fits(number: Decimal, places: int) -> bool:
    """Exact, unlike rounding, which the decimal context cuts at its precision."""
    numerator, denominator = number.as_integer_ratio()
    remainder: int = numerator * 10**places % denominator
    return remainder == 0
