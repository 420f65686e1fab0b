"""Faults of our own in the worst moment: while a key is in the hands of the code that fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.urls import reverse

from tests.api.endpoints import RUN
from tests.canary.scene import Scene
from tests.canary.tour import CONFIRM, KEYS, platform_form
from vault.crypto.secret import Secret
from vault.models import Credential, PlatformKey
from vault.services.hand_out import hand_out

_ADDING = (
    "billing.api.views.vault.credentials.add_credential",
    "billing.console.views.keys.add.add_credential",
    "vault.admin.platform_key_forms.add_credential",
)
_ROTATING = (
    "billing.api.views.vault.versions.rotate_credential",
    "billing.console.views.keys.versions.rotate_credential",
    "vault.admin.platform_key_actions.rotate_credential",
)
_DEEP = ("vault.versions.seal", "vault.services.add_credential.check_key", "vault.services.rotate_credential.check_key")
_HANDING_OUT = "billing.runtime.services.hand_out_credential.hand_out"


def fail_at_the_edge(**given: Any) -> None:
    """The use-case's own fault, whose message repeats the key and whose variables hold it."""
    words = given["plain"].reveal()
    listed = {"sent": [words], "raw": words.encode()}
    raise RuntimeError(f"cannot keep {words} of {len(listed)}")


def fail_inside(*found: Any, **given: Any) -> None:
    """A fault further in."""
    secret = next(value for value in (*found, *given.values()) if isinstance(value, Secret))
    words = secret.reveal()
    raise ZeroDivisionError(f"cannot divide {words}")


def fail_after_reading(**given: Any) -> None:
    """A fault when the key has been decrypted."""
    handed = hand_out(**given)
    words = handed.secret.reveal()
    raise RuntimeError(f"cannot hand out {words}")


def add_and_rotate_everywhere(scene: Scene) -> None:
    """With HTML and with text for an answer, which Django's page for developers tells apart."""
    own = Credential.objects.filter(tenant=scene.customer.tenant, revoked_at=None).latest("id")
    shared = PlatformKey.objects.filter(revoked_at=None).latest("id")
    text = scene.refused.text
    body, form = {"provider": "openai", "api_key": text}, {"api_key": text, "place": "none", "which": "all"}
    scene.call("POST", KEYS, body)
    scene.call("POST", f"{KEYS}/cred_{own.id.hex}/rotate", {"api_key": text})
    for accept in ("text/html", "text/plain"):
        seen = [
            scene.page(scene.member, reverse("console:key_add", args=["openai"]), form, Accept=accept),
            scene.page(
                scene.member,
                reverse("console:key_rotate", args=[own.id]),
                {"api_key": text, "overlap_hours": "1"},
                Accept=accept,
            ),
            scene.page(
                scene.staff, reverse("admin:vault_platformkey_add"), platform_form(text, "Other"), Accept=accept
            ),
            scene.page(
                scene.staff,
                reverse("admin:vault_platformkey_rotate", args=[shared.id]),
                CONFIRM | {"key": text, "overlap_hours": "1"},
                Accept=accept,
            ),
        ]
        assert {answer.status_code for answer in seen} == {500}


@contextmanager
def broken(scene: Scene, places: tuple[str, ...], fault: Callable[..., None]) -> Iterator[None]:
    with scene.patch.context() as patch:
        for place in places:
            patch.setattr(place, fault)
        yield


def fail_everywhere(scene: Scene, run: str) -> None:
    """At the edge and further in, while keys are added, rotated and handed out; with DEBUG off and on."""
    scene.providers.set_state("openai", scene.refused.text, "valid")
    for debug in (False, True):
        scene.settings.DEBUG = debug
        with broken(scene, _ADDING + _ROTATING, fail_at_the_edge):
            add_and_rotate_everywhere(scene)
        for place in (_DEEP[:1], _DEEP[1:]):
            with broken(scene, place, fail_inside):
                add_and_rotate_everywhere(scene)
        with broken(scene, (_HANDING_OUT,), fail_after_reading):
            assert scene.hand_out(run).status_code == 500
    scene.settings.DEBUG = False


def open_run(scene: Scene) -> str:
    """A run on the own key that waits for it."""
    authorized = scene.call("POST", "runtime/authorizations", RUN | {"idempotency_key": "waits"})
    assert authorized.status_code == 201, authorized.text
    return str(authorized.json()["id"])
