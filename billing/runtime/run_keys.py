"""Whose provider key a run is on, and so which of the models that it may get it does get (K4, K7, K12)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from billing.core.problems import Problem, problem
from billing.plans.queries import ListedModel
from billing.runtime.routing import LOCAL_PROVIDER
from billing.subscriptions.own_keys import key_refusal, key_rules
from billing.subscriptions.terms import AccountTerms
from vault.errors import AllKeysRest
from vault.platform_keys import choose_platform_key
from vault.resolution import Decision, KeyRing, Place, resolve


class RunKey(NamedTuple):
    """The key that a run is on. A platform key without an id is one that the platform's runtime has itself."""

    source: str
    reason: str
    credential_id: UUID | None
    number: int | None


class RunKeys:
    """The choice of a key for one run at one place.

    `exhausted` has the providers whose platform budget does not admit the run, with the refusal to give for each.
    """

    def __init__(
        self, ring: KeyRing, place: Place, terms: AccountTerms, *, exhausted: Mapping[str, Problem], at: datetime
    ) -> None:
        self._ring, self._place, self._terms = ring, place, terms
        self._rules = key_rules(terms)
        self._exhausted, self._at = exhausted, at

    @property
    def local(self) -> bool:
        """Whether the tenant has assigned anything for machines of its own."""
        return any(provider == LOCAL_PROVIDER for _, provider in self._ring.rows)

    def first_with_key(self, models: Sequence[ListedModel]) -> tuple[ListedModel, RunKey]:
        """The first of the models that there is a key for, and the key. Raises Problem where there is none.

        A refusal that passes by itself is told before one that somebody has to act on.
        """
        refused: list[tuple[ListedModel, Decision]] = []
        resting: list[Problem] = []
        for model in models:
            decision = resolve(self._ring, self._place, provider=model.provider, model=model.model, rules=self._rules)
            if decision.source == "refused":
                refused.append((model, decision))
                continue
            try:
                return model, self._key(model.provider, decision)
            except Problem as refusal:
                resting.append(refusal)
        if resting:
            raise min(resting, key=lambda refusal: refusal.retry_after or 0)
        model, decision = refused[0]
        raise key_refusal(decision, provider=model.provider, terms=self._terms)

    def _key(self, provider: str, decision: Decision) -> RunKey:
        if decision.source == "byok":
            return RunKey("byok", decision.reason, decision.credential_id, decision.number)
        if provider in self._exhausted:
            raise self._exhausted[provider]
        try:
            key = choose_platform_key(provider, at=self._at)
        except AllKeysRest as rest:
            raise resting_refusal(provider, rest.retry_after) from None
        return RunKey(
            "platform", decision.reason, key.id if key is not None else None, key.number if key is not None else None
        )


def resting_refusal(provider: str, retry_after: int) -> Problem:
    """All the platform's keys for a provider cool down or are broken; `retry_after` is in seconds."""
    return problem(
        "provider-unavailable",
        f"The platform's keys for {provider} rest after failures.",
        remedy="Wait and try again, or use a model of another provider.",
        retry_after=retry_after,
    )


def budget_refusal(provider: str, retry_after: int | None) -> Problem:
    """The platform's budget for a provider does not admit the run. What of it is spent is no customer's to know."""
    return problem(
        "platform-budget-exhausted",
        f"The platform spends no more at {provider} until its budget begins anew.",
        remedy="Use a model of another provider, or a key of your own.",
        retry_after=retry_after,
    )
