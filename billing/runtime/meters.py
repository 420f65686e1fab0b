"""Which counters a run counts against, and what it takes of each."""

from datetime import datetime
from decimal import Decimal
from math import ceil

import msgspec

from billing.core.money import minor_exponent, spell_amount
from billing.core.problems import Problem, problem, quota_exceeded
from billing.plans.features import FEATURES, FeatureKind
from billing.runtime.requests import AuthorizationRequest
from billing.subscriptions.own_caps import OWN_CAP, overage_price
from billing.subscriptions.terms import AccountTerms, Overage

EXECUTIONS = "executions_per_month"
_REMEDY = "Wait for the next window, or choose a plan with a higher limit."
_OWN_CAP_REMEDY = "Raise or lift the cap in the account's spend controls, or wait for the next day."
_SOLD_REMEDY = "Allow paid executions past the limit, wait for the next period, or choose a plan with a higher limit."


class MeterNeed(msgspec.Struct, kw_only=True):
    """What a run needs of one limited counter: the database admits it against `quota` and the throttle."""

    feature: str
    subject: str
    since: datetime
    need: Decimal
    quota: Decimal | None
    throttle_after: int | None
    throttle_seconds: Decimal | None
    overage_price: Decimal | None = None
    overage_ceiling: Decimal | None = None


def meters_of(request: AuthorizationRequest, terms: AccountTerms, *, cost: Decimal, at: datetime) -> list[MeterNeed]:
    """The limited counters of a run; an unlimited one has nothing to admit and is counted when the run is settled.

    A try in the sandbox counts against its own allowance of the day, not against the executions.
    """
    tokens = Decimal(request.input_tokens + request.max_output_tokens)
    runs = "sandbox_tries_per_day" if request.sandbox else EXECUTIONS
    needs = [(runs, "", Decimal(1)), ("tokens_per_month", "", tokens), ("spend_cap_per_day", "", cost)]
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
    overage = terms.overage if feature == EXECUTIONS else None
    return MeterNeed(
        feature=feature,
        subject=subject,
        since=terms.window(feature, at).start,
        need=need,
        quota=limit.number,
        throttle_after=limit.throttle_after,
        throttle_seconds=Decimal(60) / per_minute if per_minute else None,
        overage_price=overage.price if overage else None,
        overage_ceiling=overage.ceiling if overage else None,
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
    if feature == "overage" and terms.overage is not None:
        return _overage_refusal(used, terms.overage, terms, at)
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
            remedy=_remedy(feature, terms),
            retry_after=wait,
        )
    return problem(code, detail, limit_source=limit.source, remedy=_remedy(feature, terms), retry_after=wait)


def _remedy(feature: str, terms: AccountTerms) -> str:
    """What whoever is refused can do about it, or have done."""
    if terms.limit(feature).source == OWN_CAP:
        return _OWN_CAP_REMEDY
    is_sold = feature == EXECUTIONS and overage_price(terms.limits, terms.meters) is not None
    return _SOLD_REMEDY if is_sold else _REMEDY


def _overage_refusal(used: Decimal, overage: Overage, terms: AccountTerms, at: datetime) -> Problem:
    """The executions are used up, and so is what the customer allows to be paid for more (P8)."""
    ends = terms.period(at).end
    return quota_exceeded(
        "executions",
        detail=f"Executions past the limit have cost {spell_amount(used, terms.currency)} of the "
        f"{spell_amount(overage.ceiling, terms.currency)} that they may cost until {ends:%Y-%m-%d %H:%M} UTC; another "
        f"one costs {spell_amount(overage.price, terms.currency)}.",
        limit_source="overage-ceiling",
        remedy="Raise the overage ceiling, wait for the next period, or choose a plan with a higher limit.",
        retry_after=ceil((ends - at).total_seconds()),
    )


def _figure(number: Decimal | None, feature: str, terms: AccountTerms) -> str:
    """A reading or a limit without idle zeros; an amount of money has at least its currency's decimals."""
    if number is None:
        return "unlimited"
    digits = minor_exponent(terms.currency) if FEATURES[feature].kind is FeatureKind.AMOUNT_DAY else 0
    return _digits(number, digits)


def _digits(number: Decimal, least: int) -> str:
    return f"{number:.{max(least, -int(number.normalize().as_tuple().exponent))}f}"
