"""What a runtime asks and tells: the shapes of authorize and settle, validated while they are decoded."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from billing.usage.inputs import Key, Name, Tokens
from vault.crypto.free_text import hold_a_key
from vault.crypto.secret import Secret
from vault.outcomes import OUTCOMES_TEXT

HOLDS_A_KEY = "A text looks like a provider key, and many may read it: leave it out"
Tier = Literal["fast", "standard", "heavy"]
Outcome = Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z0-9_-]*$", description=OUTCOMES_TEXT)]


class AuthorizationRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A run that is about to start: on a named model, or on the cheapest one of a tier.

    `idempotency_key` is unique for ever within the billing account that pays for the workspace, and stays known when
    the workspace moves to another: the same request again is answered as the first time.
    A run in a `session` takes the session's slot or renews it. `sandbox` is a try, which has an allowance of its own.
    `fingerprint` tells runs of a session apart: the same one again and again is taken for a loop (M9); without it, runs
    of equal model and sizes count as equal.
    """

    workspace: Annotated[str, Meta(min_length=1, max_length=100)]
    idempotency_key: Key
    input_tokens: Tokens
    max_output_tokens: Tokens
    provider: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    model: Annotated[str, Meta(min_length=1, max_length=120)] | None = None
    recommended_model_tier: Tier | None = None
    office: Name = ""
    agent: Name = ""
    session: Name = ""
    user: Name = ""
    # Left out of the request's digest where it is not sent, so that requests of before these fields keep theirs.
    sandbox: bool | UnsetType = UNSET
    fingerprint: Name | UnsetType = UNSET

    def __post_init__(self) -> None:
        texts = (self.workspace, self.idempotency_key, self.office, self.agent, self.session, self.user)
        if "\x00" in "".join(texts) or (self.fingerprint and "\x00" in self.fingerprint):
            raise ValueError("Text cannot contain the character NUL")
        if hold_a_key(f"{self.office}\n{self.agent}\n{self.session}\n{self.user}"):
            raise ValueError(HOLDS_A_KEY)


class SettlementRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The real figures of a run that has ended; `cached_tokens` are part of `input_tokens`."""

    input_tokens: Tokens
    output_tokens: Tokens
    cached_tokens: Tokens = 0
    outcome: Outcome = "success"

    def __post_init__(self) -> None:
        if hold_a_key(self.outcome):
            raise ValueError(HOLDS_A_KEY)


class AuthorizationAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """What was decided for a run. Amounts are decimal strings in `currency`, times RFC 3339 UTC.

    `credential` is the tenant's own key that the run is on, null on the platform's; `credential_reason` says why.
    `overage` is what the run costs as an execution past the plan's limit, charged when it is settled (P8).
    `session` is the session whose slot it is in.
    """

    id: str
    state: str
    provider: str
    model: str
    credential_source: str
    credential: str | None
    credential_reason: str
    held: str
    overage: str
    currency: str
    session: str | None
    expires_at: str


class CredentialAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """The provider's key for a run, in plain text, and where it goes. To be used for this run and kept nowhere.

    `credential` is null for a key of the platform's; `expires_at` is when the run's authorization ends, RFC 3339 UTC.
    """

    authorization: str
    provider: str
    model: str
    credential_source: str
    credential: str | None
    version: int
    api_key: Annotated[Secret, Meta(extra_json_schema={"type": "string", "format": "password"})]
    base_url: str
    last_four: str
    expires_at: str


class SettlementAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """What a run cost, what of it was taken from credits and what is owed, and the balance after it.

    `overage` is the price of an execution past the plan's limit; it is owed, and not part of `cost` (P8).
    """

    id: str
    state: str
    cost: str
    charged: str
    owed: str
    overage: str
    balance: str
    currency: str
    event_id: str


class VoidAnswer(msgspec.Struct, kw_only=True, frozen=True):
    """An authorization that was closed without usage."""

    id: str
    state: str
