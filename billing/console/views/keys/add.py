"""Adding a key: the provider, then the form, whose key is checked at the provider before it is stored (K2)."""

from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRedirect

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.key_forms import AddKeyForm, forget_keys
from billing.console.key_refusals import refusal_text, refuse
from billing.console.pages.keys.places import PlaceOption, places_of
from billing.console.pages.keys.providers import add_key_page, model_choices, providers_page
from billing.console.pages.keys.replaced import held_by_places, replaced_keys
from billing.console.rendering import is_swap, render_page
from tenants.permissions import Permission
from tenants.services.record_audit import Actor
from vault.errors import UnknownProvider, VaultError
from vault.models import Credential, Health
from vault.providers import provider_of
from vault.providers.base import Provider
from vault.services.add_credential import add_credential
from vault.services.assign_key import assign_key


@require_safe
@member_page(Permission.TENANT_MANAGE)
def providers(request: ConsoleRequest, member: Member) -> HttpResponse:
    """Every provider that keys are kept for."""
    return render_page(request, member, "console/keys/providers.html", providers_page())


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("api_key")
@member_page(Permission.TENANT_MANAGE)
def add(request: ConsoleRequest, member: Member, provider: str) -> HttpResponse:
    """The form; a POST checks the key and stores it, or answers 422 with the form, its key left out."""
    known = _provider(provider)
    at = now()
    if request.method != "POST":
        return _render(request, member, known, _form(member, known, at))
    form = _form(member, known, at, request.POST)
    key = None
    if form.is_valid():
        try:
            key = _add(member, known, form, at)
        except VaultError as refusal:
            refuse(form, refusal)
    if key is None:
        forget_keys(form)
        return _render(request, member, known, form, status=422)
    _tell_stored(request, known, key)
    _assign(request, member, key, form, at)
    url = reverse("console:key", args=[key.id])
    return HttpResponseClientRedirect(url) if is_swap(request) else redirect(url)


def _provider(provider: str) -> Provider:
    try:
        return provider_of(provider)
    except UnknownProvider:
        raise Http404 from None


@sensitive_variables()
def _form(member: Member, provider: Provider, at: datetime, data: QueryDict | None = None) -> AddKeyForm:
    return AddKeyForm(
        data,
        provider=provider,
        tenant=member.tenant,
        places=places_of(member.tenant),
        models=model_choices(provider.id, at),
        held=held_by_places(member.tenant.id, provider.id),
    )


@sensitive_variables()
def _add(member: Member, provider: Provider, form: AddKeyForm, at: datetime) -> Credential:
    return add_credential(
        tenant_id=member.tenant.id,
        provider=provider.id,
        name=form.cleaned_data["name"],
        plain=form.secret(),
        base_url=form.cleaned_data.get("base_url", ""),
        expires_at=form.expires_at(),
        actor=Actor(user_id=member.user.id),
        at=at,
    )


def _assign(request: ConsoleRequest, member: Member, key: Credential, form: AddKeyForm, at: datetime) -> None:
    """The key is stored: a place that is gone by now is no reason to ask for it again."""
    place: PlaceOption | None = form.place()
    if place is None:
        return
    replaced = replaced_keys(member.tenant.id, key.provider, place, form.models())
    try:
        assign_key(
            tenant_id=member.tenant.id,
            place=place.assigned,
            provider=key.provider,
            models=form.models(),
            credential_id=key.id,
            actor=Actor(user_id=member.user.id),
            at=at,
        )
    except VaultError as refusal:
        messages.warning(request, f"The key is stored and not assigned. {refusal_text(refusal)}")
    else:
        if replaced:
            messages.info(request, f"It replaces {replaced} for {place.path}.")


def _tell_stored(request: ConsoleRequest, provider: Provider, key: Credential) -> None:
    match key.health:
        case Health.RESTRICTED:
            messages.warning(request, f"“{key.name}” is stored. {key.health_reason}")
        case Health.RATE_LIMITED:
            text = f"“{key.name}” is stored. {provider.name} slows it down just now; it is checked again in a minute."
            messages.warning(request, text)
        case _:
            messages.success(request, f"{provider.name} accepts the key. “{key.name}” is stored.")


def _render(
    request: ConsoleRequest, member: Member, provider: Provider, form: AddKeyForm, *, status: int = 200
) -> HttpResponse:
    page, fragment = add_key_page(provider, form), "console/keys/_add_form.html"
    return render_page(request, member, "console/keys/add.html", page, fragment=fragment, status=status)
