"""Whose provider key a reported event ran on, and so who pays for it."""

from typing import NamedTuple
from uuid import UUID

from msgspec import UNSET

from billing.core.problems import problem
from billing.subscriptions import directory
from billing.subscriptions.own_keys import key_rules, place_of
from billing.subscriptions.terms import AccountTerms
from billing.usage.inputs import EventInput
from vault.resolution import Place, assigned_key


class KeyUse(NamedTuple):
    """Whose key, who pays, and of a tenant's own key that was reported which one and why."""

    credential_source: str
    funding: str
    reason: str = ""
    credential_id: UUID | None = None


class KeysUsed:
    """The keys of one account's events. What is assigned is read for the first event that says it ran on an own key."""

    def __init__(self, current: AccountTerms) -> None:
        self._current = current
        self._known: directory.KnownRing | None = None
        self._places: dict[tuple[UUID, str, str], Place] = {}

    @property
    def version(self) -> int:
        """The account's version number that what was read is at least as new as."""
        return self._current.version if self._known is None else self._known.version

    def of(self, event: EventInput, *, workspace_id: UUID, terms: AccountTerms) -> KeyUse:
        """The key that an event ran on under the terms of its time; where it does not say so, the plan does.

        Raises Problem for a key that it cannot have run on: plan-without-byok, missing-provider-credential.
        """
        if event.credential_source is UNSET or event.product != "llm":
            return _by_plan(event, terms)
        rules = key_rules(terms)
        if event.credential_source == "platform":
            if rules.byok_only:
                raise problem(
                    "missing-provider-credential", f"The plan “{terms.plan_name}” runs on own provider keys only."
                )
            return _by_plan(event, terms)
        if not rules.byok_enabled:
            raise problem("plan-without-byok", f"The plan “{terms.plan_name}” does not include own provider keys.")
        return self._own(event, workspace_id)

    def _own(self, event: EventInput, workspace_id: UUID) -> KeyUse:
        """Usable by now or not: the run has taken place (K4)."""
        if self._known is None:
            self._known = directory.keys_of(self._current)
        ring = self._known.ring
        named = workspace_id, event.office, event.agent
        if named not in self._places:
            self._places[named] = place_of(ring, workspace_id=workspace_id, office=event.office, agent=event.agent)
        found = assigned_key(ring, self._places[named], provider=event.provider, model=event.model)
        if found is None:
            raise problem(
                "missing-provider-credential",
                f"No own key for {event.provider}/{event.model} is assigned where the event says that it ran.",
            )
        key, reason = found
        return KeyUse("byok", "provider", reason, key.id)


def _by_plan(event: EventInput, terms: AccountTerms) -> KeyUse:
    """A plan of the strict own-key kind has no platform keys: its model usage is paid to the provider (U7).

    What is not model usage is charged on every plan: from credits where the plan is one of credits, else by invoice.
    """
    if event.product != "llm":
        return KeyUse("none", "credits" if terms.usage_funding == "credits" else "invoice")
    if terms.credential_policy == "byok_only":
        return KeyUse("byok", "provider")
    return KeyUse("platform", "credits" if terms.usage_funding == "credits" else "included")
