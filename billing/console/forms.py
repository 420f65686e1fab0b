"""Forms of the console."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django import forms
from django.http import QueryDict

from tenants.models import Workspace
from tenants.permissions import Permission

# The scope `runtime` is not among them: it takes plain provider keys out of the vault, the platform's too. Staff alone
# give it.
_MEANING = {
    Permission.TENANT_MANAGE: "manage members, API keys and provider keys",
    Permission.BILLING_MANAGE: "do what costs money, such as top-ups",
    Permission.BILLING_VIEW: "read balances, usage and invoices",
    Permission.USAGE_WRITE: "report usage, authorize and settle runs, register agents",
}
_WORKSPACE_HELP = "A key of one workspace sees nothing of the others."


class ApiKeyForm(forms.Form):
    """A new API key: its name, what it may do, and where."""

    name = forms.CharField(max_length=100, help_text="What uses it, such as “Runtime, production”.")

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        permissions: Iterable[Permission],
        workspaces: Sequence[Workspace],
    ) -> None:
        """Nobody can give a key more than they may do themselves."""
        super().__init__(data)
        allowed = set(permissions)
        scopes = [(scope.value, f"{scope}: {text}") for scope, text in _MEANING.items() if scope in allowed]
        self.fields["scopes"] = forms.MultipleChoiceField(choices=scopes, widget=forms.CheckboxSelectMultiple)
        places = [("", "All workspaces"), *((str(workspace.id), workspace.name) for workspace in workspaces)]
        self.fields["workspace"] = forms.ChoiceField(choices=places, required=False, help_text=_WORKSPACE_HELP)

    def scopes_chosen(self) -> list[Permission]:
        """Of a valid form."""
        return [Permission(scope) for scope in self.cleaned_data["scopes"]]

    def workspace_chosen(self) -> UUID | None:
        """Of a valid form; None for all workspaces."""
        text = self.cleaned_data["workspace"]
        return UUID(text) if text else None
