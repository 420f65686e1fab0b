"""Which counters a run counts against, and what it takes of each."""

from datetime import datetime
from decimal import Decimal
from math import ceil

import msgspec

from billing.core.money import minor_exponent
from billing.core.problems import Problem, problem, quota_exceeded
from billing.plans.features import FEATURES, FeatureKind
from billing.runtime.requests import AuthorizationRequest
from billing.subscriptions.terms import AccountTerms

_REMEDY = "Wait for the next window, or choose a plan with a higher limit."


class MeterNeed(msgspec.Struct, kw_only=True):
    """What a run needs of one limited counter: the database admits it against `quota` and the throttle."""

    feature: str
    subject: str
    since: datetime
    need: Decimal
    quota: Decimal | None
    throttle_after: int | None
    throttle_seconds: Decimal | None


def meters_of(request: AuthorizationRequest, terms: AccountTerms, *, cost: Decimal, at: datetime) -> list[MeterNeed]:
    """The limited counters of a run; an unlimited one has nothing to admit and is counted when the run is settled."""
    tokens = Decimal(request.input_tokens + request.max_output_tokens)
    needs = [("executions_per_month", "", Decimal(1)), ("tokens_per_month", "", tokens)]
    if request.user:
        needs.append(("spend_cap_per_user_day", request.user, cost))
    return [
        _meter(feature, subject, need, terms=terms, at=at)
        for feature, subject, need in needs
        if terms.limit(feature).number is not None or terms.limit(feature).throttle_after is not None
    ]


def _meter(feature: str, subject: str, need: Decimal, *, terms: AccountTerms, at: datetime) -> MeterNeed:
    limit = terms.limit(feature)
    per_minute = limit.throttle_per_minute
    return MeterNeed(
        feature=feature,
        subject=subject,
        since=terms.window(feature, at).start,
        need=need,
        quota=limit.number,
        throttle_after=limit.throttle_after,
        throttle_seconds=Decimal(60) / per_minute if per_minute else None,
    )


def check_size(request: AuthorizationRequest, terms: AccountTerms) -> None:
    """Raises Problem where the run alone is larger than the plan's largest execution."""
    limit = terms.limit("max_tokens_per_execution")
    tokens = request.input_tokens + request.max_output_tokens
    if limit.number is not None and tokens > limit.number:
        raise quota_exceeded(
            "tokens-per-execution",
            detail=f"The run may take {tokens} tokens; one execution may take {limit.number}.",
            limit_source=limit.source,
            remedy="Lower max_output_tokens or shorten the input.",
        )


def meter_refusal(
    feature: str, used: Decimal, terms: AccountTerms, at: datetime, *, verdict: str, retry_after: int | None
) -> Problem:
    """The refusal of a counter, with the plan's figures and what to do.

    `retry_after` is the throttle's, in seconds; where the window is used up, its end is what to wait for.
    """
    known, limit = FEATURES[feature], terms.limit(feature)
    ends = terms.window(feature, at).end
    figures = f"{_figure(used, feature, terms)} of {_figure(limit.number, feature, terms)} used"
    if verdict == "throttled":
        return problem(
            "throttled",
            f"{figures}: past {limit.throttle_after} the plan allows {limit.throttle_per_minute} a minute.",
            limit_source=limit.source,
            remedy="Wait and try again, or choose a plan with a higher limit.",
            retry_after=retry_after,
        )
    detail = f"{known.name}: {figures} until {ends:%Y-%m-%d %H:%M} UTC; this run needs more."
    wait = ceil((ends - at).total_seconds())
    code = known.limit_code or ""
    if code.startswith("quota-exceeded-"):
        return quota_exceeded(
            code.removeprefix("quota-exceeded-"),
            detail=detail,
            limit_source=limit.source,
            remedy=_REMEDY,
            retry_after=wait,
        )
    return problem(code, detail, limit_source=limit.source, remedy=_REMEDY, retry_after=wait)


def _figure(number: Decimal | None, feature: str, terms: AccountTerms) -> str:
    """A reading or a limit without idle zeros; an amount of money has at least its currency's decimals."""
    if number is None:
        return "unlimited"
    digits = minor_exponent(terms.currency) if FEATURES[feature].kind is FeatureKind.AMOUNT_DAY else 0
    return f"{number:.{max(digits, -int(number.normalize().as_tuple().exponent))}f}"
