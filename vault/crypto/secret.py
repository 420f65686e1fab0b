"""A key in plain text, in a box that shows nothing by accident."""

import hmac
from collections.abc import Callable
from typing import Never, TypeVar

from vault.crypto.redaction import watch

Method = TypeVar("Method", bound=Callable[..., object])


def _not_in_templates(method: Method) -> Method:
    """Let Django's templates, which call whatever they are given, leave the method alone."""
    vars(method)["alters_data"] = True
    return method


class Secret:
    """A provider's key (K2). Only `reveal` gives its text; as long as one is alive its value is redacted from logs.

    It cannot be printed, pickled, copied or written as JSON, so that it reaches no session, cache, task or page.
    """

    __slots__ = ("__weakref__", "_text")

    def __init__(self, text: str) -> None:
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise ValueError("A key is text that UTF-8 can write.")
        self._text = text
        watch(self)

    @_not_in_templates
    def reveal(self) -> str:
        """The plain text."""
        return self._text

    @property
    def last_four(self) -> str:
        """The end of the text, as people may see it: at most four characters and never more than a quarter."""
        shown = min(4, len(self._text) // 4)
        return self._text[len(self._text) - shown :]

    def same_as(self, other: "Secret") -> bool:
        """Whether both hold the same text, in constant time."""
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __copy__(self) -> Never:
        raise TypeError("A secret is not copied.")

    def __deepcopy__(self, memo: object) -> Never:
        raise TypeError("A secret is not copied.")

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("A secret is not pickled.")
