"""Callers of the last seconds, so that a hot call does not look its key up.

A key revoked meanwhile cannot act through this memory: authorize re-reads the key in the statement that decides, and
settle and void re-read it with the authorization that they load.
"""

import time

from django.http import HttpRequest

from billing.api.authentication import authenticate, key_digest
from tenants.queries import Caller

_SECONDS = 5.0
_MOST = 50_000
_callers: dict[bytes, tuple[float, Caller]] = {}


def recent_caller(request: HttpRequest) -> Caller:
    """The caller of a request; raises the problems of `authenticate`."""
    digest = key_digest(request)
    known = _callers.get(digest)
    if known is not None and known[0] > time.monotonic():
        return known[1]
    caller = authenticate(request)
    if len(_callers) >= _MOST:
        _callers.clear()
    _callers[digest] = (time.monotonic() + _SECONDS, caller)
    return caller


def forget_callers() -> None:
    """Start over, as a new process would."""
    _callers.clear()
