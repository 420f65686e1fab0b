"""What a tenant is written about a limit that is being used up: figures, its end, what happens, what helps (M9)."""

from datetime import datetime
from typing import NamedTuple

from billing.core.money import spell_amount
from billing.core.periods import as_utc
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.own_caps import OWN_CAP, overage_price
from billing.subscriptions.terms import AccountTerms
from billing.usage.alerts import EXECUTIONS, TOKENS, USER_CAP, Burn
from billing.usage.allowances import OVERAGE
from tenants.models import Tenant

_PAGE = "on the page “Alerts and caps” of the console"
_COUNTED = {EXECUTIONS: "executions", TOKENS: "tokens"}
_SHORT = {
    EXECUTIONS: "the period’s executions",
    TOKENS: "the period’s tokens",
    OVERAGE: "the ceiling for paid executions",
    USER_CAP: "a user’s spend cap for the day",
}


class News(NamedTuple):
    """An e-mail's subject, without the tenant's name, and its text."""

    subject: str
    text: str


def news_of(account: BillingAccount, terms: AccountTerms, burn: Burn, *, threshold: int, refused: bool) -> News:
    """What to tell of a limit of which `threshold` percent is used, or that has refused a run."""
    what = _SHORT.get(burn.feature, "the spend cap for the day")
    is_over = threshold >= 100
    subject = f"{what} is reached" if burn.feature not in _COUNTED else f"{what} are used up"
    paragraphs = [
        _facts(account, terms, burn, refused=refused and burn.used < burn.quota),
        _window(burn, account.tenant),
        " ".join([_at_the_limit(terms, burn, is_over=is_over), *_exempt(terms)]),
        _to_do(terms, burn),
        _repeats(burn),
    ]
    return News(subject if is_over else f"{threshold} % of {what} used", "\n\n".join(paragraphs))


def moment(at: datetime, tenant: Tenant) -> str:
    """An instant in the tenant's zone and in UTC, which all limits are counted in."""
    in_utc = f"{as_utc(at):%d %B %Y, %H:%M} UTC"
    if as_utc(at).utcoffset() == at.astimezone(tenant.zone).utcoffset():
        return in_utc
    return f"{at.astimezone(tenant.zone):%d %B %Y, %H:%M} in {tenant.timezone} ({in_utc})"


def _facts(account: BillingAccount, terms: AccountTerms, burn: Burn, *, refused: bool) -> str:
    where = f"Billing account “{account.name}”, plan {terms.plan_name}: "
    if burn.feature in _COUNTED:
        used = f"{burn.used:,.0f} of {burn.quota:,.0f} {_COUNTED[burn.feature]}"
    else:
        # To the last decimal: rounded, what is used could look like the whole of a small cap.
        used = " of ".join(spell_amount(one, terms.currency) for one in (burn.used, burn.quota))
    # A program's name for its user adds no paragraph to the text.
    whose = f" by user “{' '.join(burn.subject.split())}”" if burn.subject else ""
    # Of a limit that was lowered below what was used, the exact share says nothing.
    percent = "more than 100" if burn.percent > 100 else str(burn.percent)
    share = f"{used} used{whose}, {percent} % of {_source(terms, burn)}."
    return f"{where}{share} A run that needed more than is left was refused." if refused else f"{where}{share}"


def _source(terms: AccountTerms, burn: Burn) -> str:
    if burn.feature == OVERAGE:
        return "the ceiling that you have set for executions past the plan’s limit"
    if burn.source == OWN_CAP:
        return "the cap that you have set for a user and day" if burn.subject else "the cap that you have set for a day"
    if burn.source == "override":
        return "the limit that was agreed for this account"
    return f"the limit of {terms.plan_name}"


def _window(burn: Burn, tenant: Tenant) -> str:
    span = "billing period" if burn.feature in {*_COUNTED, OVERAGE} else "day, which is a day in UTC,"
    return f"This {span} ends on {moment(burn.window.end, tenant)}. Then counting starts over."


def _at_the_limit(terms: AccountTerms, burn: Burn, *, is_over: bool) -> str:
    when = "Until then" if is_over else "At 100 %"
    if burn.feature == EXECUTIONS and terms.overage is not None:
        price, ceiling = (spell_amount(one, terms.currency) for one in (terms.overage.price, terms.overage.ceiling))
        return (
            f"{when} runs go on, because you allow paid executions: each one past the limit costs {price} on your next "
            f"invoice, {ceiling} in this period at most. Past that amount runs are refused."
        )
    if burn.subject:
        return f"{when} runs of this user are refused with status 402; those of other users go on."
    slowed = "" if is_over else _slowed(terms, burn)
    return f"{when} new runs are refused with status 402; what is running ends as usual.{slowed}"


def _slowed(terms: AccountTerms, burn: Burn) -> str:
    limit = terms.limit(burn.feature) if burn.feature in _COUNTED else None
    if limit is None or limit.throttle_after is None or limit.throttle_per_minute is None:
        return ""
    return (
        f" From {limit.throttle_after:,} {_COUNTED[burn.feature]} on, {limit.throttle_per_minute} a minute may start; "
        "more are answered with status 429 and when to try again."
    )


def _exempt(terms: AccountTerms) -> list[str]:
    if terms.limit("byok_enabled").value is not True:
        return []
    return ["Runs on your own provider keys are not counted and go on."]


def _to_do(terms: AccountTerms, burn: Burn) -> str:
    if burn.feature == OVERAGE:
        return f"What you can do: raise the ceiling {_PAGE}, or choose a plan with more executions."
    if burn.source == OWN_CAP:
        return f"What you can do: raise or lift the cap {_PAGE}, if spending is not to stop there."
    plan = "What you can do: choose a plan with a higher limit on the page “Plans”"
    price = overage_price(terms.limits, terms.meters)
    if burn.feature == EXECUTIONS and terms.overage is None and price is not None:
        return f"{plan}, or allow executions past the limit {_PAGE}: each costs {spell_amount(price, terms.currency)}."
    return f"{plan}."


def _repeats(burn: Burn) -> str:
    once = (
        "Other users who reach their cap today are listed on that page and not written about."
        if burn.subject
        else f"You are told at 50, 80 and 100 %, once each a {'day' if _is_day(burn) else 'period'}."
    )
    return f"{once} Who manages billing can turn these e-mails off {_PAGE}."


def _is_day(burn: Burn) -> bool:
    return burn.feature not in {*_COUNTED, OVERAGE}
