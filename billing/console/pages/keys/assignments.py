"""The assignments page: the tree, where an assignment begins, and the question which key a run would be on."""

from dataclasses import dataclass
from datetime import datetime

from billing.console.key_forms import AssignForm, StartForm, WhichForm
from billing.console.key_texts import reason_text
from billing.console.pages.keys.account_rules import account_rules
from billing.console.pages.keys.cards import KeyCard, key_card, provider_name
from billing.console.pages.keys.own_keys import OwnKeysPanel, own_keys_panel
from billing.console.pages.keys.places import PlaceOption
from billing.console.pages.keys.tree import TreeNode, assignment_tree
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import account_of_workspace
from vault.providers.base import Provider
from vault.queries import credentials_of, find_credential, key_ring
from vault.resolution import resolve


@dataclass(frozen=True, slots=True)
class WhichAnswer:
    """What a run would be on: `source` is byok, platform or refused; `reason` says why, `detail` what of the key."""

    place: PlaceOption
    provider_name: str
    model: str
    source: str
    key: KeyCard | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class WhichPanel:
    """The question, with its answer once it is asked."""

    form: WhichForm
    answer: WhichAnswer | None


@dataclass(frozen=True, slots=True)
class AssignmentsPage:
    """`root` is None where nothing is assigned; `own_keys` None without a plan."""

    own_keys: OwnKeysPanel | None
    root: TreeNode | None
    start: StartForm
    which: WhichPanel


@dataclass(frozen=True, slots=True)
class AssignPage:
    """The form that puts a place on a key. `keys` says whether there is one of the provider to choose."""

    provider: Provider
    form: AssignForm
    has_keys: bool


def assignments_page(account: BillingAccount, at: datetime, *, start: StartForm, which: WhichForm) -> AssignmentsPage:
    """The tree as it decides now."""
    return AssignmentsPage(
        own_keys=own_keys_panel(account, at),
        root=assignment_tree(account, at),
        start=start,
        which=WhichPanel(which, None),
    )


def key_choices(account: BillingAccount, provider: Provider, at: datetime) -> list[tuple[str, str]]:
    """The tenant's keys of a provider, then the platform's where there may be one."""
    summaries = [summary for summary in credentials_of(account.tenant_id) if summary.credential.provider == provider.id]
    choices = [(summary.credential.id.hex, _key_label(key_card(summary))) for summary in summaries]
    if not provider.needs_base_url and not account_rules(account.id, at).byok_only:
        choices.append(("platform", "The platform's key, on purpose"))
    return choices


def which_answer(account: BillingAccount, form: WhichForm, at: datetime) -> WhichAnswer | None:
    """For a valid form: what a run there would be on now, by the rules of the account that pays for it."""
    place = form.place()
    if place is None or place.workspace is None:
        return None
    provider, model = form.cleaned_data["provider"], form.cleaned_data["model"]
    try:
        payer = account_of_workspace(place.workspace.id).id
    except BillingAccount.DoesNotExist:
        payer = account.id
    decision = resolve(
        key_ring(account.tenant_id),
        place.run_place(account.tenant_id),
        provider=provider,
        model=model,
        rules=account_rules(payer, at),
    )
    key = None
    if decision.credential_id is not None:
        key = key_card(find_credential(account.tenant_id, decision.credential_id))
    return WhichAnswer(
        place, provider_name(provider), model, decision.source, key, reason_text(decision.reason), decision.detail
    )


def _key_label(card: KeyCard) -> str:
    state = f", {card.state_name.lower()}" if card.is_broken else ""
    return f"{card.name} …{card.last_four}{state}"
