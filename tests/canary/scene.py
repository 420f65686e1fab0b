"""Who takes part: a customer with a member and programs, staff, and secrets that the providers' stand-in takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from sandbox.providers.process import ProvidersSandbox
from tenants.permissions import Permission
from tests.api.calls import call
from tests.canary.search import Canary, bare_canary, leaks, plain_canary, special_canary
from tests.canary.traces import Traces
from tests.console.make import make_client, make_user, signed_in
from tests.make import Customer, Key, make_api_key, make_customer

Refuse = Callable[..., Any]


@dataclass
class Scene:
    """What the acts of the tour share. `handed` are the answers that are meant to hold a key."""

    customer: Customer
    program: Key
    runtime: Key
    member: Client
    staff: Client
    providers: ProvidersSandbox
    patch: pytest.MonkeyPatch
    settings: Settings
    own: Canary
    rotated: Canary
    platform: Canary
    refused: Canary
    strayed: Canary
    traces: Traces = field(default_factory=Traces)
    handed: list[str] = field(default_factory=list)

    @property
    def canaries(self) -> tuple[Canary, ...]:
        return self.own, self.rotated, self.platform, self.refused, self.strayed

    def call(self, method: str, path: str, body: Any = None, key: Key | None = None, **headers: str) -> Any:
        """A program's request, whose answer is kept."""
        response = call(method, f"/v1/{path}", key or self.program, body, **headers)
        return self.traces.keep("API", response)

    def page(self, client: Client, path: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        """A page for a member or for staff, and those that it leads to, all kept; with a form it is sent."""
        place = "admin" if client is self.staff else "console"
        send = client.get if form is None else client.post
        response = send(path, form, follow=True, headers=headers)
        return self.traces.keep(place, response)

    def hand_out(self, run: str) -> Any:
        """A run's key: the one answer that may hold it. It is kept apart where it does, and as any other else."""
        response = call("POST", f"/v1/runtime/authorizations/{run}/credential", self.runtime)
        if response.status_code == 200:
            self.handed.append(response.text)
            assert leaks(response.text, self.canaries), "the search misses what is there"
            return response
        return self.traces.keep("API", response)


def make_scene(providers: ProvidersSandbox, patch: pytest.MonkeyPatch, settings: Settings) -> Scene:
    customer = make_customer("pro", balance="10")
    scene = Scene(
        customer,
        program=make_api_key(customer.tenant, *set(Permission) - {Permission.RUNTIME}),
        runtime=make_api_key(customer.tenant, Permission.RUNTIME),
        member=make_client(customer.tenant),
        staff=signed_in(make_staff()),
        providers=providers,
        patch=patch,
        settings=settings,
        own=plain_canary("own key"),
        rotated=special_canary("rotated key"),
        platform=bare_canary("platform key"),
        refused=special_canary("refused key"),
        strayed=special_canary("strayed key"),
    )
    for client in (scene.member, scene.staff):
        client.raise_request_exception = False
    for canary in (scene.own, scene.rotated, scene.platform):
        providers.set_state("openai", canary.text, "valid")
    return scene


def make_staff() -> Any:
    user = make_user(is_staff=True)
    user.is_superuser = True
    user.save()
    return user
