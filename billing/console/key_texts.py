"""Provider keys in words: states, what to do about them, and why a run is on which key (K4, K9). Pure."""

from vault.models import Health
from vault.providers.base import Kind

KINDS: dict[Kind, str] = {
    Kind.LLM: "Language models",
    Kind.STT: "Speech-to-text",
    Kind.TTS: "Text-to-speech",
    Kind.TELEPHONY: "Telephony",
    Kind.EMAIL: "E-mail",
}
DISABLED, UNREADABLE = "disabled", "unreadable"

_STATES: dict[str, str] = {
    Health.UNVERIFIED: "Not checked yet",
    Health.VALID: "Works",
    Health.RESTRICTED: "Restricted",
    Health.RATE_LIMITED: "Rate limited",
    Health.QUOTA_EXHAUSTED: "Out of quota",
    Health.INVALID: "Not accepted",
    Health.UNREACHABLE: "No answer",
    Health.EXPIRING: "Expires soon",
    Health.REVOKED: "Revoked",
    DISABLED: "Disabled",
}
_ADVICE: dict[str, str] = {
    Health.RESTRICTED: "It works for what its provider lets it do. Give it more rights there if runs fail.",
    Health.RATE_LIMITED: "Its provider slows it down. It stays in use; ask there for a higher limit if it lasts.",
    Health.QUOTA_EXHAUSTED: "Add funds or raise the limit at the provider, then check the key again.",
    Health.INVALID: "Replace it with a key that its provider accepts.",
    Health.UNREACHABLE: "Its provider does not answer. It is checked again by itself; you can also check it now.",
    Health.EXPIRING: "Replace it before it expires: the old key keeps working for a while.",
    Health.REVOKED: "Its text is erased. Use another key where it was assigned, or remove it there.",
    DISABLED: "Enable it to use it again.",
}
_REASONS: dict[str, str] = {
    "assigned-agent": "This key is assigned to the agent itself.",
    "assigned-office": "The agent has no key of its own, and this one is assigned to its office.",
    "assigned-workspace": "Nothing nearer has a key, and this one is assigned to the workspace.",
    "assigned-tenant": "Nothing nearer has a key, and this one is assigned to all of your workspaces.",
    "platform-chosen": "The nearest assignment names the platform's key, on purpose.",
    "no-assignment": "No key of yours is assigned here, and your setting lets runs go on with the platform's key.",
    "own-keys-off": "Own keys are switched off for the account that pays for this workspace.",
    "missing": "No key of yours is assigned here, and your setting refuses runs without one.",
    "plan-without-byok": "One of your keys is assigned here, and the plan does not include own keys.",
    "needs-own-key": "This needs a key of your own, and none is assigned here.",
    "ambiguous-agent": "Several agents have this name and do not all run on the same key.",
    "unreadable": "The assigned key cannot be read from the vault. Enter its text again as a replacement.",
}
_PLACES = {"tenant": "Organisation", "workspace": "Workspace", "office": "Office", "agent": "Agent"}


def state_name(state: str) -> str:
    """What a key's health, or that it is disabled, is called."""
    return _STATES.get(state, state.replace("_", " ").capitalize())


def advice_on(state: str) -> str:
    """What helps; empty where nothing has to be done."""
    return _ADVICE.get(state, "")


def reason_text(reason: str) -> str:
    """Why a run is on the key that it is on, or on none; `reason` is a word of vault.resolution."""
    head, _, trouble = reason.partition("-")
    if head == "fallback" and trouble:
        name = state_name(trouble).lower()
        return f"The assigned key cannot be used ({name}), and your setting lets the platform's key stand in."
    if reason in _STATES:
        return f"The assigned key cannot be used ({state_name(reason).lower()}), and nothing may stand in for it."
    return _REASONS.get(reason, reason)


def place_kind(scope: str) -> str:
    """What a level of the tree is called."""
    return _PLACES[scope]


def models_text(models: list[str]) -> str:
    """Which models an assignment is for: all of the provider's where none is named."""
    return ", ".join(models) if models else "All models"
