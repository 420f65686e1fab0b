"""Which key runs of a place are on: the tree, the form that assigns, and the question about a run (K4, K7)."""

from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.key_forms import ALL, PLATFORM, SOME, AssignForm, StartForm, WhichForm
from billing.console.key_refusals import refusal_text, refuse
from billing.console.pages.keys.assignments import (
    AssignPage,
    WhichPanel,
    assignments_page,
    key_choices,
    which_answer,
)
from billing.console.pages.keys.cards import provider_name
from billing.console.pages.keys.places import PlaceOption, Places, find_place, places_of
from billing.console.pages.keys.providers import model_choices, provider_choices
from billing.console.rendering import render_page
from tenants.permissions import Permission
from tenants.services.record_audit import Actor
from vault.errors import UnknownProvider, VaultError
from vault.models import Credential
from vault.providers import provider_of
from vault.providers.base import Provider
from vault.services.assign_key import assign_key
from vault.services.unassign_key import unassign_key


@require_safe
@member_page(Permission.TENANT_MANAGE)
def assignments(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The tree from the whole tenant down to its agents."""
    places, providers = places_of(member.tenant), provider_choices()
    start, which = StartForm(places=places, providers=providers), WhichForm(places=places, providers=providers)
    page = assignments_page(member.account, now(), start=start, which=which)
    return render_page(request, member, "console/keys/assignments.html", page)


@require_safe
@member_page(Permission.TENANT_MANAGE)
def which(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Which key a run of a place, provider and model would be on."""
    form = WhichForm(request.GET or None, places=places_of(member.tenant), providers=provider_choices())
    answer = which_answer(member.account, form, now()) if form.is_valid() else None
    page, fragment = WhichPanel(form, answer), "console/keys/_which.html"
    return render_page(request, member, "console/keys/which.html", page, fragment=fragment)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page(Permission.TENANT_MANAGE)
def assign(request: ConsoleRequest, member: Member) -> HttpResponse:
    """The form for `?provider=` and `?place=`; a POST assigns, or answers 422 with the form."""
    at = now()
    provider = _provider(request.GET.get("provider", ""))
    place = _asked_place(request, member)
    form = _assign_form(request, member, provider, place, at)
    if request.method == "POST" and form.is_valid():
        try:
            _assign(member, provider, form, at)
        except Credential.DoesNotExist:
            raise Http404 from None
        except VaultError as refusal:
            refuse(form, refusal)
        else:
            where = form.place()
            messages.success(request, f"Assigned: {provider.name} for {where.path if where else ''}.")
            return redirect("console:key_assignments")
    page = AssignPage(provider, form, has_keys=_has_own(form))
    return render_page(request, member, "console/keys/assign.html", page, status=200 if not form.is_bound else 422)


@require_POST
@member_page(Permission.TENANT_MANAGE)
def remove(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Take away what a line of the tree shows: its place, provider and models."""
    place = find_place(member.tenant.id, member.tenant.name, request.POST.get("place", ""))
    provider = request.POST.get("provider", "")
    if place is None:
        raise Http404
    try:
        removed = unassign_key(
            tenant_id=member.tenant.id,
            place=place.assigned,
            provider=provider,
            models=request.POST.getlist("model"),
            actor=Actor(user_id=member.user.id),
            at=now(),
        )
    except VaultError as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        name = f"{provider_name(provider)} for {place.path}"
        messages.success(request, f"Removed: {name}." if removed else f"There is nothing assigned of {name}.")
    return redirect("console:key_assignments")


def _provider(provider: str) -> Provider:
    try:
        return provider_of(provider)
    except UnknownProvider:
        raise Http404 from None


def _asked_place(request: ConsoleRequest, member: Member) -> PlaceOption | None:
    """What the address names; an agent's id from the form that begins goes first."""
    agent = request.GET.get("agent", "").strip().removeprefix("agt_")
    value = f"agent:{agent}" if agent else request.GET.get("place", "")
    return find_place(member.tenant.id, member.tenant.name, value)


def _assign_form(
    request: ConsoleRequest, member: Member, provider: Provider, place: PlaceOption | None, at: datetime
) -> AssignForm:
    places: Places = places_of(member.tenant)
    data: QueryDict | None = request.POST if request.method == "POST" else None
    listed = model_choices(provider.id, at)
    return AssignForm(
        data,
        places=places.including(place) if place is not None else places,
        models=listed,
        keys=key_choices(member.account, provider, at),
        initial=_initial(request.GET, place, {model for model, _ in listed}),
    )


def _initial(asked: QueryDict, place: PlaceOption | None, listed: set[str]) -> dict[str, object]:
    """What a line of the tree that is to be replaced has."""
    models = [model for model in asked.getlist("model") if model]
    return {
        "place": place.value if place is not None else None,
        "credential": asked.get("credential", ""),
        "which": SOME if models else ALL,
        "listed": [model for model in models if model in listed],
        "named": ", ".join(model for model in models if model not in listed),
    }


def _assign(member: Member, provider: Provider, form: AssignForm, at: datetime) -> None:
    place, choice = form.place(), form.cleaned_data["credential"]
    if place is None:
        raise Http404
    assign_key(
        tenant_id=member.tenant.id,
        place=place.assigned,
        provider=provider.id,
        models=form.models(),
        credential_id=None if choice == PLATFORM else UUID(hex=choice),
        actor=Actor(user_id=member.user.id),
        at=at,
    )


def _has_own(form: AssignForm) -> bool:
    return any(value != PLATFORM for value, _ in form.key_choices)
