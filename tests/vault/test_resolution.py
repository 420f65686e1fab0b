"""Which key a run is on: every case of the table, and what holds in all of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.models import BROKEN, Health
from vault.resolution import (
    Assigned,
    Decision,
    KeyRing,
    KeyRules,
    Namesake,
    Place,
    RingKey,
    assigned_key,
    empty_ring,
    resolve,
)

TENANT, WORKSPACE, OFFICE, AGENT, OTHER = (UUID(int=number) for number in range(1, 6))
KEYS = {scope: UUID(int=100 + n) for n, scope in enumerate(("agent", "office", "workspace", "tenant"))}
PLACES = {"agent": AGENT, "office": OFFICE, "workspace": WORKSPACE, "tenant": TENANT}
PLACE = Place(WORKSPACE, office="support", agent="Ada")
PLAN, BYOK_ONLY, NO_BYOK, OFF = (
    KeyRules(own_keys=True, byok_enabled=True, byok_only=False),
    KeyRules(own_keys=True, byok_enabled=True, byok_only=True),
    KeyRules(own_keys=True, byok_enabled=False, byok_only=False),
    KeyRules(own_keys=False, byok_enabled=True, byok_only=False),
)
SCOPES = list(PLACES)


def key(scope: str = "tenant", **changed: Any) -> RingKey:
    return replace(RingKey(KEYS[scope], 3, "Main", "wxyz", "", "valid", "", disabled=False, readable=True), **changed)


def ring(
    rows: Mapping[str, list[Assigned]], *keys: RingKey, policy: str | None = None, provider: str = "openai"
) -> KeyRing:
    """A ring with these rows by scope."""
    return KeyRing(
        tenant_id=TENANT,
        policy=policy,
        rows={(PLACES[scope], provider): found for scope, found in rows.items()},
        keys={one.id: one for one in keys or [key(scope) for scope in SCOPES]},
        offices={(WORKSPACE, "support"): OFFICE},
        agents={},
        names={(WORKSPACE, "Ada"): [Namesake(AGENT, OFFICE)]},
        workspaces_with_offices=frozenset({WORKSPACE}),
    )


def on(scope: str, model: str = "") -> dict[str, list[Assigned]]:
    return {scope: [Assigned(model, KEYS[scope])]}


def decide(
    found: KeyRing, place: Place = PLACE, *, provider: str = "openai", model: str = "gpt-5", rules: KeyRules = PLAN
) -> Decision:
    return resolve(found, place, provider=provider, model=model, rules=rules)


def said(decision: Decision) -> tuple[str, str]:
    return decision.source, decision.reason


@pytest.mark.parametrize("nearest", SCOPES)
def test_nearest_place_decides(nearest: str) -> None:
    """K4: agent before office before workspace before tenant."""
    farther = SCOPES[SCOPES.index(nearest) :]
    found = decide(ring({scope: [Assigned("", KEYS[scope])] for scope in farther}))
    assert found == Decision("byok", KEYS[nearest], 3, f"assigned-{nearest}", "")


@pytest.mark.parametrize("place", [Place(WORKSPACE), Place(WORKSPACE, "sales", "Bob"), Place(OTHER, "support", "Ada")])
def test_place_that_is_not_the_runs_says_nothing(place: Place) -> None:
    """K4: another agent, office or workspace; names count inside their own workspace."""
    rows = on("agent") | on("office") | on("tenant")
    assert said(decide(ring(rows), place)) == ("byok", "assigned-tenant")


def test_other_providers_and_models_are_left_alone() -> None:
    """K7: the search goes on where a place says nothing of the model."""
    rows = on("agent", "gpt-4*") | on("tenant")
    assert said(decide(ring(rows))) == ("byok", "assigned-tenant")
    assert said(decide(ring(rows), model="gpt-4o")) == ("byok", "assigned-agent")
    assert said(decide(ring(rows), provider="groq")) == ("platform", "no-assignment")


@pytest.mark.parametrize(
    ("model", "expected"),
    [("gpt-5", "exact"), ("gpt-5-mini", "longer"), ("gpt-4o", "pattern"), ("o3", "all"), ("GPT-5", "all")],
)
def test_model_before_pattern_before_all(model: str, expected: str) -> None:
    """K7: among patterns the longest that fits."""
    names = {"exact": "gpt-5", "longer": "gpt-5*", "pattern": "gpt-*", "all": ""}
    ids = {word: UUID(int=200 + n) for n, word in enumerate(names)}
    rows = {"tenant": [Assigned(name, ids[word]) for word, name in names.items()]}
    found = decide(ring(rows, *(key(id=one) for one in ids.values())), model=model)
    assert found.credential_id == ids[expected]


def test_hybrid() -> None:
    """K7: own key for some models, the platform's for others, on purpose and whatever the policy."""
    rows = {"workspace": [Assigned("gpt-5", KEYS["workspace"]), Assigned("", None)], **on("tenant")}
    found = ring(rows, policy="strict")
    assert said(decide(found)) == ("byok", "assigned-workspace")
    assert decide(found, model="gpt-4o") == Decision("platform", None, None, "platform-chosen", "")


USABLE = [health for health in Health if health not in BROKEN]
TROUBLES = [{"disabled": True}, *({"health": health} for health in sorted(BROKEN))]


@pytest.mark.parametrize("health", USABLE)
def test_usable(health: str) -> None:
    """K9: limited, restricted, expiring and unverified keys still work."""
    assert said(decide(ring(on("tenant"), key(health=health)))) == ("byok", "assigned-tenant")


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize(
    ("policy", "rules", "source"),
    [
        (None, PLAN, "platform"),
        ("fallback", PLAN, "platform"),
        ("strict", PLAN, "refused"),
        (None, BYOK_ONLY, "refused"),
        ("fallback", BYOK_ONLY, "refused"),
    ],
)
def test_broken_key_stops_the_search(trouble: dict[str, Any], policy: str | None, rules: KeyRules, source: str) -> None:
    """K4, K6: a good key farther away is not taken; the platform's where the tenant lets it, and the reason says so."""
    rows = on("workspace") | on("tenant")
    found = decide(ring(rows, key("workspace", **trouble), key("tenant"), policy=policy), rules=rules)
    word = str(trouble.get("health", "disabled"))
    assert said(found) == (source, f"fallback-{word}" if source == "platform" else word)
    assert (found.credential_id, found.number) == (None, None)
    assert "“Main” (…wxyz)" in found.detail
    assert len(found.reason) <= 30


@pytest.mark.parametrize("trouble", TROUBLES)
def test_key_for_an_own_address_never_falls_back(trouble: dict[str, Any]) -> None:
    """K6: who runs on a base URL of their own did not ask for somebody else's."""
    broken = key(base_url="https://models.example.com", **trouble)
    assert decide(ring(on("tenant"), broken, policy="fallback")).source == "refused"


@pytest.mark.parametrize("policy", [None, "fallback", "strict"])
@pytest.mark.parametrize("also", [{}, {"health": "invalid"}, {"disabled": True}])
def test_unreadable_key_never_falls_back(policy: str | None, also: dict[str, Any]) -> None:
    """K6: a fault of the vault is nobody's reason to pay."""
    found = decide(ring(on("tenant"), key(readable=False, **also), policy=policy))
    assert said(found) == ("refused", "unreadable")


def test_revoked_key_was_erased_on_purpose() -> None:
    """K6: that its text is gone is no fault; what the tenant chose for broken keys holds."""
    revoked = key(readable=False, health="revoked")
    assert said(decide(ring(on("tenant"), revoked))) == ("platform", "fallback-revoked")
    assert said(decide(ring(on("tenant"), revoked, policy="strict"))) == ("refused", "revoked")


@pytest.mark.parametrize(
    ("policy", "rules", "expected"),
    [
        (None, PLAN, ("platform", "no-assignment")),
        ("fallback", PLAN, ("platform", "no-assignment")),
        ("strict", PLAN, ("refused", "missing")),
        (None, BYOK_ONLY, ("refused", "missing")),
        ("fallback", BYOK_ONLY, ("refused", "missing")),
        (None, NO_BYOK, ("platform", "no-assignment")),
        ("strict", OFF, ("platform", "own-keys-off")),
    ],
)
def test_nothing_assigned(policy: str | None, rules: KeyRules, expected: tuple[str, str]) -> None:
    """K6: the tenant's choice, and the plan's where it made none."""
    assert said(decide(replace(empty_ring(TENANT), policy=policy), rules=rules)) == expected


def test_own_keys_switched_off() -> None:
    """K11: the platform's key whatever is assigned; a plan for own keys alone knows no such switch."""
    found = ring(on("agent"), key("agent", health="invalid"), policy="strict")
    assert said(decide(found, rules=OFF)) == ("platform", "own-keys-off")
    assert said(decide(found, rules=replace(OFF, byok_only=True))) == ("refused", "invalid")


def test_plan_without_own_keys_refuses_an_assigned_one() -> None:
    """K6: no fallback from what a plan refuses; the platform's key on purpose stays."""
    assert said(decide(ring(on("office"), policy="fallback"), rules=NO_BYOK)) == ("refused", "plan-without-byok")
    assert said(decide(ring({"office": [Assigned("", None)]}), rules=NO_BYOK)) == ("platform", "platform-chosen")


def test_platform_key_on_purpose_is_none_on_plans_for_own_keys() -> None:
    """K6: such a plan never runs on the platform's."""
    assert said(decide(ring({"tenant": [Assigned("", None)]}), rules=BYOK_ONLY)) == ("refused", "needs-own-key")


@pytest.mark.parametrize("rules", [PLAN, BYOK_ONLY, NO_BYOK, OFF])
@pytest.mark.parametrize("rows", [{}, {"tenant": [Assigned("", None)]}, on("tenant")])
def test_own_machines_have_no_platform_key(rules: KeyRules, rows: Mapping[str, list[Assigned]]) -> None:
    """K3: Ollama runs on the tenant's own address, or not at all."""
    found = decide(ring(rows, key(health="unreachable"), provider="ollama"), provider="ollama", rules=rules)
    assert found.source == "refused"


def test_agents_office_is_asked_for_where_it_matters() -> None:
    """K4: only of runs that name an agent alone, where some office has a key."""
    found = ring({})
    assert found.wants_office(Place(WORKSPACE, agent="Bob"))
    assert not found.wants_office(Place(WORKSPACE, office="x", agent="Bob"))
    assert not found.wants_office(Place(WORKSPACE))
    assert not found.wants_office(Place(OTHER, agent="Bob"))


SALES, TWIN = UUID(int=6), UUID(int=7)


def twins(rows: Mapping[tuple[UUID, str], list[Assigned]], *found: Namesake) -> KeyRing:
    """Agents called Ada, in the offices of support and sales."""
    one = ring({})
    return replace(
        one, rows=rows, names={(WORKSPACE, "Ada"): found}, offices={**one.offices, (WORKSPACE, "sales"): SALES}
    )


def test_name_means_the_agent_of_its_own_office() -> None:
    """K4: another office's agent of the same name is another agent; one without an office works in all of them."""
    rows = {(TWIN, "openai"): [Assigned("", KEYS["agent"])], (TENANT, "openai"): [Assigned("", KEYS["tenant"])]}
    in_sales = twins(rows, Namesake(TWIN, SALES))
    places = [Place(WORKSPACE, office, "Ada") for office in ("sales", "support", "unknown", "")]
    assert [decide(in_sales, place).reason.removeprefix("assigned-") for place in places] == [
        "agent", "tenant", "tenant", "agent",
    ]  # fmt: skip
    in_none = twins(rows, Namesake(TWIN, None))
    assert [decide(in_none, place).reason for place in places] == ["assigned-agent"] * 4
    beside = twins(rows, Namesake(TWIN, None), Namesake(AGENT, OFFICE))
    assert decide(beside, Place(WORKSPACE, "support", "Ada")).reason == "assigned-tenant"


def test_name_of_several_agents_is_no_choice_between_keys() -> None:
    """K4: refused where they do not run on the same key, and not where they do."""
    mine = [Assigned("gpt-5", KEYS["agent"])]
    several = twins({(TWIN, "openai"): mine}, Namesake(TWIN, SALES), Namesake(AGENT, SALES))
    for place in (Place(WORKSPACE, "sales", "Ada"), Place(WORKSPACE, agent="Ada")):
        assert said(decide(several, place)) == ("refused", "ambiguous-agent")
        assert assigned_key(several, place, provider="openai", model="gpt-5") is None
        assert said(decide(several, place, model="o3")) == ("platform", "no-assignment")
    same = replace(several, rows={(TWIN, "openai"): mine, (AGENT, "openai"): mine})
    assert said(decide(same, Place(WORKSPACE, "sales", "Ada"))) == ("byok", "assigned-agent")
    assert said(decide(several, Place(WORKSPACE, "sales", "Ada"), rules=OFF)) == ("platform", "own-keys-off")


def test_agent_that_may_be_in_several_offices() -> None:
    """K4: named alone, and only offices have keys."""
    found = twins({(SALES, "openai"): [Assigned("", KEYS["office"])]})
    assert said(decide(found, Place(WORKSPACE, "", "Bob", ("sales", "support")))) == ("refused", "ambiguous-agent")
    assert said(decide(found, Place(WORKSPACE, "", "Bob", ("", "support")))) == ("platform", "no-assignment")


MODELS = ["", "gpt-5", "gpt-*", "o3"]
ring_keys = st.builds(
    lambda health, disabled, readable, base_url: key(
        health=health, disabled=disabled, readable=readable, base_url=base_url
    ),
    st.sampled_from(Health.values),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "https://models.example.com"]),
)
rings = st.builds(
    lambda rows, keys, policy: ring(
        {
            scope: [Assigned(model, KEYS[scope] if own else None) for model, own in found.items()]
            for scope, found in rows.items()
        },
        *(replace(one, id=KEYS[scope]) for scope, one in zip(SCOPES, keys, strict=True)),
        policy=policy,
    ),
    st.dictionaries(st.sampled_from(SCOPES), st.dictionaries(st.sampled_from(MODELS), st.booleans())),
    st.tuples(ring_keys, ring_keys, ring_keys, ring_keys),
    st.sampled_from([None, "strict", "fallback"]),
)
rules_of_plans = st.sampled_from([PLAN, BYOK_ONLY, NO_BYOK, OFF, replace(OFF, byok_only=True)])


def matching(found: KeyRing, scope: str, model: str) -> bool:
    names = {row.model for row in found.rows.get((PLACES[scope], "openai"), ())}
    return bool(names & {"", model}) or ("gpt-*" in names and model.startswith("gpt-"))


@given(rings, rules_of_plans, st.sampled_from(["gpt-5", "gpt-4o", "o3", "o4"]))
def test_farther_places_never_matter(found: KeyRing, rules: KeyRules, model: str) -> None:
    """K4: take everything away that is farther than the nearest place with a row for the model: nothing changes."""
    deciding = next((scope for scope in SCOPES if matching(found, scope, model)), None)
    near = {PLACES[scope] for scope in (SCOPES[: SCOPES.index(deciding) + 1] if deciding else [])}
    alone = replace(found, rows={place: rows for place, rows in found.rows.items() if place[0] in near})
    assert decide(found, model=model, rules=rules) == decide(alone, model=model, rules=rules)


@given(rings, rules_of_plans)
def test_platforms_money_is_spent_only_where_it_may_be(found: KeyRing, rules: KeyRules) -> None:
    """K6: never on plans for own keys; never in the place of a key with an address of its own or one that cannot be
    read; always with nothing assigned and no choice against it."""
    decision = decide(found, rules=rules)
    if rules.byok_only:
        assert decision.source != "platform"
    if decision.reason.startswith("fallback-"):
        assert found.policy != "strict"
        assert rules.byok_enabled
        names = [one for one in found.keys.values() if not one.base_url]
        assert any(one.readable or one.health == "revoked" for one in names)
    if not any(matching(found, scope, "gpt-5") for scope in SCOPES) and found.policy != "strict":
        assert decision.source == ("refused" if rules.byok_only else "platform")


@given(rings, rules_of_plans)
def test_own_key_that_is_given_works(found: KeyRing, rules: KeyRules) -> None:
    """K4: it is one of the ring, not broken, not disabled, and there to be read."""
    decision = decide(found, rules=rules)
    if decision.source == "byok":
        assert decision.credential_id is not None
        given_key = found.keys[decision.credential_id]
        assert (given_key.number, given_key.disabled, given_key.readable) == (decision.number, False, True)
        assert given_key.health not in BROKEN
    assert decision.source != "byok" or rules.byok_enabled
