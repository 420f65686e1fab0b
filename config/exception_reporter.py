"""Error reports without keys: Django's page for developers (DEBUG on) and its e-mail to the site's staff (off).

Django shows the variables of each frame, the request and the settings. Here a value is hidden by its name, by what is
known of live secrets and of the look of keys, and wherever else the report repeats a value that had such a name (K2).
"""

import json
import re
from collections.abc import ItemsView, Iterator, Mapping
from itertools import islice
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from vault.crypto.redaction import REDACTED, forms_of, redact

_SECRET_NAME = re.compile(r"api|auth|token|key|secret|pass|signature|cookie|credential|plain", re.IGNORECASE)
_SHORTEST = 6  # a shorter value is in too many words to be taken out of a whole report
_DEEPEST = 6  # levels of lists and objects that are searched for names
_WIDEST = 1000  # members of each
_LONGEST = 4000  # characters of a variable


class SafeFilter(SafeExceptionReporterFilter):
    """Hides by name, also while DEBUG is on, and every variable of what runs inside the vault."""

    cleansed_substitute = REDACTED

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always: a developer's machine has keys too."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        """The form that was sent, without values of secret names."""
        try:
            return _without_secrets(super().get_post_parameters(request))
        except Exception:  # the form itself may be what is broken
            return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        """The names of a frame's variables, each with its value where that may be shown."""
        if _inside_vault(tb_frame):
            return dict.fromkeys(tb_frame.f_locals, _Shown(REDACTED)).items()
        return _without_secrets(dict(super().get_traceback_frame_variables(request, tb_frame))).items()


class SafeReporter(ExceptionReporter):
    """Takes each value that had a secret's name somewhere out of the whole report."""

    def __init__(
        self,
        request: HttpRequest | None,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
        is_email: bool = False,
    ) -> None:
        super().__init__(request, exc_type, exc_value, tb, is_email=is_email)
        found = {*_values_of_request(request), *_values_of_frames(exc_value, tb)}
        forms = {form for value in found if len(value) >= _SHORTEST for form in forms_of(value)}
        self._values = sorted(forms, key=len, reverse=True)

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        """The frames, their variables written out before Django cuts long ones: half a key is told from no key."""
        frames: list[dict[str, Any]] = super().get_traceback_frames()
        for frame in frames:
            frame["vars"] = [(name, self._shown(value)) for name, value in frame.get("vars", ())]
        return frames

    def get_traceback_data(self) -> dict[str, Any]:
        """What both forms of the report are made of."""
        data: dict[str, Any] = super().get_traceback_data()
        if self.request is not None:
            data["request_GET_items"] = _without_secrets(self.request.GET).items()
        data["unicode_hint"] = ""  # a piece of the text, too short to be told from others
        return data

    def get_traceback_html(self) -> SafeString:
        """The page, and the e-mail's second form."""
        return SafeString(self._clean(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        """The e-mail, and the answer to a client that takes no HTML."""
        return SafeString(self._clean(super().get_traceback_text()))

    def _shown(self, value: object) -> "_Shown":
        try:
            text = repr(value)
        except Exception as error:
            text = f"<no text: {type(error).__name__}>"
        text = self._clean(text)
        return _Shown(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… <{len(text)} characters>")

    def _clean(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, REDACTED)
        return redact(text)


class _Shown:
    """A text that Django prints as it is."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _without_secrets(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: REDACTED if _SECRET_NAME.search(name) else value for name, value in sent.items()}


def _inside_vault(frame: FrameType | None) -> bool:
    """Whether the frame is the vault's or was called by it: there plain keys and data keys have any name."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith("vault."):
            return True
        frame = frame.f_back
    return False


def _values_of_request(request: HttpRequest | None) -> Iterator[str]:
    """What the request sent under a secret's name: in its address, form, JSON or headers."""
    if request is None:
        return
    for name, value in request.META.items():
        if name.startswith("HTTP_") and name != "HTTP_COOKIE" and _SECRET_NAME.search(name):
            yield from str(value).split()
    for part in ("GET", "POST", "body"):
        yield from _values_in(_sent(request, part))


def _sent(request: HttpRequest, part: str) -> object:
    """What was sent in the address, the form or the body; nothing where that is broken or already read."""
    try:
        return getattr(request, part)
    except Exception:
        return None


def _values_of_frames(error: BaseException | None, tb: TracebackType | None) -> Iterator[str]:
    """What frames of the error and of its causes have under a secret's name."""
    seen: list[BaseException] = []
    while isinstance(error, BaseException) and error not in seen:  # Django gives a text where nothing was raised
        seen.append(error)
        for frame, _line in walk_tb(tb if len(seen) == 1 else error.__traceback__):
            yield from _values_in(dict(frame.f_locals))
        error = error.__cause__ or error.__context__


def _values_in(found: object, depth: int = 0) -> Iterator[str]:
    """Texts under secret names in dictionaries, lists and JSON; objects are looked into by their repr alone."""
    if depth > _DEEPEST:
        return
    if isinstance(found, bytes) and found[:1] in {b"{", b"["}:
        try:
            yield from _values_in(json.loads(found), depth + 1)
        except (ValueError, RecursionError):
            return
    elif isinstance(found, dict):
        pairs = found.lists() if isinstance(found, MultiValueDict) else found.items()
        for name, value in islice(pairs, _WIDEST):
            if isinstance(name, str) and _SECRET_NAME.search(name):
                yield from _texts_in(value, depth + 1)
            yield from _values_in(value, depth + 1)
    elif isinstance(found, list | tuple):
        for value in found[:_WIDEST]:
            yield from _values_in(value, depth + 1)


def _texts_in(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, list | tuple) and depth <= _DEEPEST:
        for part in value[:_WIDEST]:
            yield from _texts_in(part, depth + 1)
