"""The acts: everything that can be done with a key, by programs, members and staff, with and without success."""

import json
from typing import Any
from urllib.parse import quote

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from billing.notifications.tasks import send_notices, tell_of_keys
from config.celery import app
from sandbox.valkey import Valkey
from tests.api.endpoints import ENDPOINTS, RUN
from tests.canary.scene import Scene
from vault.models import Credential, PlatformKey
from vault.tasks import check_keys, end_overlaps

CONFIRM = {"_form_submitted": "True"}
KEYS = "vault/credentials"


def keep_own_key(scene: Scene) -> str:
    """Add, look at, check, assign, rotate, go back, rotate again: by a program. Answers the key's id."""
    body = {"provider": "openai", "api_key": scene.own.text, "name": "Main"}
    added = scene.call("POST", KEYS, body, **{"Idempotency-Key": "add-1"})
    assert added.status_code == 201, added.text
    path = f"{KEYS}/{added.json()['id']}"
    assert scene.call("POST", KEYS, body, **{"Idempotency-Key": "add-1"}).json() == added.json()
    rotation = {"secret": scene.rotated.text, "overlap_hours": 1}
    for method, action, sent in (
        ("POST", "/validate", None),
        ("POST", "/rotate", rotation),
        ("POST", "/restore", None),
        ("POST", "/rotate", rotation),
        ("PATCH", "", {"name": "Renamed", "expires_at": "2026-03-20T00:00:00Z"}),
        ("PATCH", "", {"disabled": True}),
        ("PATCH", "", {"disabled": False}),
    ):
        answer = scene.call(method, path + action, sent)
        assert answer.status_code == 200, answer.text
    assigned = {"scope": "tenant", "provider": "openai", "credential": added.json()["id"]}
    assert scene.call("PUT", "vault/assignments", assigned).status_code == 200
    return str(added.json()["id"])


def fail_to_add(scene: Scene) -> None:
    """Every way in which a key is refused: by us, by the provider, by the network."""
    key = scene.refused.text
    valid = {"provider": "openai", "api_key": key}
    for state in ("invalid", "echo", "restricted"):
        scene.providers.set_state("openai", key, state)
        scene.call("POST", KEYS, valid)
        scene.page(scene.member, reverse("console:key_add", args=["openai"]), {"api_key": key, "place": "none"})
        scene.page(scene.staff, reverse("admin:vault_platformkey_add"), platform_form(key))
    for kind in ("timeout", "hang_up", "redirect", "garbage", "echo", "status"):
        scene.providers.fault(kind, provider="openai")
        scene.call("POST", KEYS, valid)
    scene.call("POST", KEYS, valid | {"name": "Renamed"})
    scene.call("POST", KEYS, valid, **{"Idempotency-Key": "add-1"})


def misplace(scene: Scene) -> None:
    """The key where it does not belong, so that most of it never becomes a `Secret`."""
    key = scene.strayed.text
    valid = {"provider": "openai", "api_key": key}
    text = json.dumps(valid).encode()
    for body in (
        valid | {"key": key},
        valid | {"name": key},
        valid | {"base_url": f"https://{key}@example.com"},
        valid | {key: key},
        {"provider": key, "api_key": key},
        [key],
        text[:-1],
        text + b"\xff",
        text.replace(b'"api_key"', b"api_key"),
    ):
        assert scene.call("POST", KEYS, body).status_code >= 400
    for query in (f"api_key={quote(key)}", quote(key), f"{quote(key)}=1"):
        scene.call("POST", f"{KEYS}?{query}", valid)
        scene.call("GET", f"{KEYS}?{query}")
    form = {"api_key": key, "name": key, "base_url": f"https://{key}", "place": "none", "which": "all"}
    assert scene.page(scene.member, reverse("console:key_add", args=["openai"]), form).status_code == 422
    scene.page(scene.staff, reverse("admin:vault_platformkey_add"), platform_form(key, name=key))


def platform_form(key: str, name: str = "Shared") -> dict[str, Any]:
    return {"provider": "openai", "name": name, "key": key, "weight": "1"}


def keep_platform_key(scene: Scene) -> None:
    """By staff: added, refused for its name, checked, rotated, and gone back to."""
    add = reverse("admin:vault_platformkey_add")
    for _ in range(2):
        scene.page(scene.staff, add, platform_form(scene.platform.text))
    key = PlatformKey.objects.get(name="Shared")
    for action in ("check_now", "disable", "enable"):
        scene.page(scene.staff, reverse(f"admin:vault_platformkey_{action}", args=[key.id]), CONFIRM)
    rotation = CONFIRM | {"key": scene.platform.text, "overlap_hours": "24"}
    scene.page(scene.staff, reverse("admin:vault_platformkey_rotate", args=[key.id]), rotation)
    scene.page(scene.staff, reverse("admin:vault_platformkey_go_back", args=[key.id]), CONFIRM)


def run(scene: Scene, name: str, outcome: str, **changes: Any) -> str:
    """A run: authorized, its key handed out, settled with an outcome. Answers its id."""
    asked = RUN | {"idempotency_key": name, "agent": "Ada"} | changes
    authorized = scene.call("POST", "runtime/authorizations", asked)
    assert authorized.status_code == 201, authorized.text
    run_id = str(authorized.json()["id"])
    assert scene.hand_out(run_id).status_code == 200
    figures = {"input_tokens": 1, "output_tokens": 1, "outcome": outcome}
    settled = scene.call("POST", f"runtime/authorizations/{run_id}/settle", figures, scene.runtime)
    assert settled.status_code == 200, settled.text
    return run_id


def run_on_keys(scene: Scene) -> None:
    """On the own key and on the platform's, with success and with failures; voided, and asked for when closed."""
    closed = run(scene, "own-1", "success")
    scene.hand_out(closed)
    on_platform = {"scope": "tenant", "provider": "openai", "models": ["gpt-4o-mini"], "credential": "platform"}
    assert scene.call("PUT", "vault/assignments", on_platform).status_code == 200
    run(scene, "platform-1", "success", model="gpt-4o-mini")
    run(scene, "own-2", "rate_limit")
    run(scene, "own-3", "auth_failure")
    refused = scene.call("POST", "runtime/authorizations", RUN | {"idempotency_key": "own-4"})
    assert refused.status_code in {201, 409}
    run(scene, "platform-2", "auth_failure", model="gpt-4o-mini")


def work_behind(scene: Scene, valkey: Valkey) -> None:
    """What workers do, and everything that the clock queues."""
    for task in (check_keys, end_overlaps, tell_of_keys, send_notices):
        task()
    with app.connection_for_write(valkey.broker_url) as broker:
        for entry in app.conf.beat_schedule.values():
            app.send_task(entry["task"], connection=broker)


def look_at_everything(scene: Scene) -> None:
    """Every page of the console, every list and object of the admin, everything that the API reads."""
    for endpoint in ENDPOINTS:
        if endpoint.method == "GET" and "{" not in endpoint.path.replace("{ws}", ""):
            scene.traces.keep("API", scene.call("GET", endpoint.at().removeprefix("/v1/")))
    for key in Credential.objects.filter(tenant=scene.customer.tenant):
        scene.call("GET", f"{KEYS}/cred_{key.id.hex}")
        scene.page(scene.member, reverse("console:key", args=[key.id]))
        scene.page(scene.member, reverse("console:key_uses", args=[key.id]))
    for name in ("overview", "plans", "usage", "credits", "api_keys", "keys", "key_providers", "key_assignments"):
        scene.page(scene.member, reverse(f"console:{name}"))
    scene.page(scene.member, reverse("console:key_add", args=["openai"]))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        scene.page(scene.staff, reverse(f"{name}_changelist"))
        if model._meta.app_label in {"vault", "tenants", "billing_runtime", "billing_usage", "billing_notifications"}:
            for row in model._default_manager.order_by("-pk")[:5]:
                scene.page(scene.staff, reverse(f"{name}_change", args=[row.pk]))
                scene.page(scene.staff, reverse(f"{name}_history", args=[row.pk]))


def sign_in(scene: Scene) -> None:
    """Somebody who mistypes a password: what counts the attempts is in the cache."""
    form = {"login": "user@example.com", "password": scene.refused.text}
    scene.page(Client(), reverse("account_login"), form)


def revoke(scene: Scene, key: str) -> None:
    """By a program and by staff."""
    assert scene.call("DELETE", f"{KEYS}/{key}").status_code == 204
    shared = PlatformKey.objects.get(name="Shared")
    scene.page(scene.staff, reverse("admin:vault_platformkey_revoke", args=[shared.id]), CONFIRM)
