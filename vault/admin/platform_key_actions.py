"""What staff do with a key of the platform: check, rotate, go back, disable, enable, revoke."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables

from tenants.services.record_audit import Actor
from tenants.staff_admin import StaffAdmin, change_url, confirmed_action, go_to
from tenants.staff_dialogs import dialog_action
from vault.admin.platform_key_forms import RotateForm
from vault.admin.refusals import in_words
from vault.errors import VaultError
from vault.models import PlatformKey
from vault.services.change_credential import change_credential
from vault.services.restore_version import restore_version
from vault.services.revoke_credential import revoke_credential
from vault.services.rotate_credential import rotate_credential
from vault.services.validate_credential import validate_credential


class PlatformKeyActions(StaffAdmin[PlatformKey]):
    """Buttons of a platform key's page."""

    def has_run_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("vault.change_platformkey")

    @confirmed_action(
        "Check now",
        question="Asks the provider with a call that costs nothing. A key that rests is used again if it is valid.",
        icon="health_and_safety",
        permission="run",
        url_path="check",
    )
    def check_now(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        def check(key_id: UUID, actor: Actor) -> str:
            checked = validate_credential(tenant_id=None, credential_id=key_id, actor=actor, at=now())
            return f"Checked: {checked.get_health_display()}"

        return self._act(request, object_id, check)

    @dialog_action(
        "Rotate",
        form_class=RotateForm,
        submit="Rotate",
        text="The provider is asked before the new text is used. Runs that have the old one go on with it.",
        icon="autorenew",
        permission="run",
        url_path="rotate",
    )
    @sensitive_variables("form")
    def rotate(self, request: HttpRequest, form: RotateForm, key: PlatformKey) -> HttpResponse:
        try:
            rotated = rotate_credential(
                tenant_id=None,
                credential_id=key.id,
                plain=form.cleaned_data["key"],
                overlap=form.overlap(),
                actor=Actor(user_id=request.user.pk),
                at=now(),
            )
        except VaultError as error:
            raise ValidationError(in_words(error)) from None
        return self._done(request, key, f"Rotated to version {rotated.current_number}")

    @confirmed_action(
        "Go back to the version before",
        question="Uses the replaced text again, while it is kept. The newer one is erased when that time ends.",
        icon="undo",
        permission="run",
        url_path="go-back",
    )
    def go_back(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        def restore(key_id: UUID, actor: Actor) -> str:
            restored = restore_version(tenant_id=None, credential_id=key_id, actor=actor, at=now())
            return f"Back to version {restored.current_number}"

        return self._act(request, object_id, restore)

    @confirmed_action(
        "Disable",
        question="No run gets this key until it is enabled again. The provider's other keys take its share.",
        icon="pause_circle",
        permission="run",
        url_path="disable",
    )
    def disable(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, _switch(disabled=True))

    @confirmed_action(
        "Enable",
        question="Runs get this key again, by its weight.",
        icon="play_circle",
        permission="run",
        url_path="enable",
    )
    def enable(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        return self._act(request, object_id, _switch(disabled=False))

    @confirmed_action(
        "Revoke",
        question="Erases the key's text for good. Revoke it at the provider, too: who has read it still can use it.",
        icon="delete_forever",
        permission="run",
        url_path="revoke",
    )
    def revoke(self, request: HttpRequest, _form: forms.Form, object_id: str) -> HttpResponse:
        def erase(key_id: UUID, actor: Actor) -> str:
            revoke_credential(tenant_id=None, credential_id=key_id, actor=actor, at=now())
            return "Revoked"

        return self._act(request, object_id, erase)

    def _act(self, request: HttpRequest, object_id: str, do: Callable[[UUID, Actor], str]) -> HttpResponse:
        key = PlatformKey.objects.get(id=object_id)
        try:
            done = do(key.id, Actor(user_id=request.user.pk))
        except VaultError as error:
            self.message_user(request, in_words(error), messages.ERROR)
            return go_to(change_url("vault_platformkey", key.id))
        return self._done(request, key, done)

    def _done(self, request: HttpRequest, key: PlatformKey, what: str) -> HttpResponse:
        self.log_change(request, key, what)
        self.message_user(request, f"{key}: {what[0].lower()}{what[1:]}.", messages.SUCCESS)
        return go_to(change_url("vault_platformkey", key.id))


def _switch(*, disabled: bool) -> Callable[[UUID, Actor], str]:
    def change(key_id: UUID, actor: Actor) -> str:
        change_credential(tenant_id=None, credential_id=key_id, disabled=disabled, actor=actor, at=now())
        return "Disabled" if disabled else "Enabled"

    return change
