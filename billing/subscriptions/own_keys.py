"""What a billing account's terms mean for the choice of a provider key, and how a choice that refuses is told."""

from uuid import UUID

from billing.core.problems import Problem, problem
from billing.subscriptions.terms import AccountTerms
from vault.queries import offices_of_agent
from vault.resolution import Decision, KeyRing, KeyRules, Place


def key_rules(terms: AccountTerms) -> KeyRules:
    """Whether the account's runs may use its tenant's own keys, and whether they may use others (K6, K11)."""
    return KeyRules(
        own_keys=terms.own_keys,
        byok_enabled=terms.limit("byok_enabled").value is True,
        byok_only=terms.credential_policy == "byok_only",
    )


def place_of(ring: KeyRing, *, workspace_id: UUID, office: str, agent: str) -> Place:
    """Where a run is. An agent without its office is looked up where an office has keys of its own; one query then."""
    place = Place(workspace_id, office, agent)
    if not ring.wants_office(place):
        return place
    offices = offices_of_agent(workspace_id, agent)
    return Place(workspace_id, offices[0], agent) if len(offices) == 1 else Place(workspace_id, "", agent, offices)


def key_refusal(decision: Decision, *, provider: str, terms: AccountTerms) -> Problem:
    """The refusal of a run for which there is no key: missing-provider-credential for most reasons (K6)."""
    if decision.reason == "plan-without-byok":
        return problem(
            "plan-without-byok",
            f"{decision.detail} The plan is “{terms.plan_name}”.",
            limit_source=terms.limit("byok_enabled").source,
            remedy=f"Choose a plan that includes own keys, or assign the platform's key for {provider}.",
        )
    if decision.reason == "unreadable":
        return problem("credential-unreadable", decision.detail, remedy="Replace the key by a new version.")
    if decision.reason == "ambiguous-agent":
        return problem("ambiguous-agent", decision.detail, remedy="Name the agent by its id, or its office too.")
    on_own_keys_only = terms.credential_policy == "byok_only"
    return problem(
        "missing-provider-credential",
        decision.detail,
        limit_source=f"plan:{terms.plan_slug}" if on_own_keys_only else None,
        remedy=f"Add a working key for {provider} and assign it, or use a model of another provider.",
    )
