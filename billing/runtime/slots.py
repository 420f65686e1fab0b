"""What a session's slot is: how long a sign of life keeps it, what tells a loop, and how it is refused (P9, M9)."""

import hashlib
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from msgspec import UNSET
from uuid_utils.compat import uuid7

from billing.core.ids import InvalidId, decode_id
from billing.core.problems import Problem, problem, quota_exceeded
from billing.runtime.requests import AuthorizationRequest
from billing.subscriptions.terms import AccountTerms

SLOTS = "concurrent_sessions_limit"
_STOPPED_FOR = {
    "session_runs_per_minute": " for starting more runs in a minute than are allowed",
    "session_repeats_limit": " for starting the same run more often in a row than is allowed",
}
SESSION_VERDICTS = frozenset({"session-stopped", "session-ended", "sessions-full"})


class SlotNeed(NamedTuple):
    """What a run asks of its session: its id where the run names it by that, the plan's bounds, the run's shape."""

    named_session: UUID | None
    new_session: UUID | None
    slots: int | None
    rate: int | None
    repeats: int | None
    shape: str


def lease_seconds() -> int:
    """How long a sign of life keeps a slot."""
    seconds: int = settings.SESSION_TIMEOUT_SECONDS
    return seconds


def slot_of(request: AuthorizationRequest, terms: AccountTerms) -> SlotNeed:
    """What the run needs of a session's slot; nothing where it is in no session."""
    if not request.session:
        return SlotNeed(None, None, None, None, None, "")
    return SlotNeed(
        named_session=session_named(request.session),
        new_session=uuid7(),
        slots=bound(terms, SLOTS),
        rate=bound(terms, "session_runs_per_minute"),
        repeats=bound(terms, "session_repeats_limit"),
        shape=_shape(request),
    )


def session_named(name: str) -> UUID | None:
    """The session that a name means if it is an id, such as ses_…; None for any other name."""
    try:
        return decode_id("ses", name)
    except InvalidId:
        return None


def bound(terms: AccountTerms, feature: str) -> int | None:
    """A whole-number limit of the plan; None is unlimited."""
    number = terms.limit(feature).number
    return None if number is None else int(number)


def _shape(request: AuthorizationRequest) -> str:
    """What makes two runs of a session the same: the caller's own fingerprint, or the model and the sizes."""
    if request.fingerprint is not UNSET and request.fingerprint:
        told = f"told {request.fingerprint}"
    else:
        asked = (request.provider, request.model, request.recommended_model_tier, request.agent)
        told = f"{asked} {request.input_tokens} {request.max_output_tokens}"
    return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def session_refusal(
    verdict: str,
    terms: AccountTerms,
    *,
    feature: str | None = None,
    used: Decimal | None = None,
    retry_after: int | None = None,
) -> Problem:
    """Why a session takes no run: it was stopped, it has ended, or no slot is free (429).

    `feature` is the bound that a stopped session passed, none where a person stopped it.
    """
    if verdict == "sessions-full":
        limit = terms.limit(SLOTS)
        return quota_exceeded(
            "concurrent-sessions",
            detail=f"Sessions that are live: {used or 0}; {limit.number} may be at once.",
            limit_source=limit.source,
            remedy="End a session, wait for one to end, or choose a plan with more.",
            retry_after=retry_after,
            status=429,
        )
    if verdict == "session-stopped":
        return problem(
            "session-stopped",
            f"The session was stopped{_STOPPED_FOR.get(feature or '', '')}; its name takes no more runs.",
            limit_source=terms.limit(feature).source if feature else None,
            remedy="Find out why, have a member allow the session again, or start another one.",
        )
    return problem("session-ended", "The session has ended.", remedy="Start another session.")
