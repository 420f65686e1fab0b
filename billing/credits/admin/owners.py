"""Whose a ledger account is: a billing account's, a creator's, or the platform's."""

from uuid import UUID

from django.db.models import Q
from django.utils.safestring import SafeString

from billing.credits.models import LedgerAccount
from tenants.staff_admin import link, uuid_in

OWNERS = ("credits_of__tenant", "receivable_of__tenant", "payable_of__tenant")
"""What lists select with ledger accounts, so that naming an owner costs no query."""

_ACCOUNT, _CREATOR = "billing_subscriptions_billingaccount", "billing_credits_creator"
_PAGES = {"credits_of": _ACCOUNT, "receivable_of": _ACCOUNT, "payable_of": _CREATOR}
_MOST_LEDGERS = 200  # that one search spreads over


def owner_of(ledger: LedgerAccount) -> str:
    """A link to the billing account or creator that a ledger account belongs to; the platform's own have none."""
    for name, page in _PAGES.items():
        owner = getattr(ledger, name, None)
        if owner is not None:
            return link(page, owner.pk, owner)
    return "The platform"


def side_of(ledger: LedgerAccount) -> SafeString:
    """A link to a ledger account, named by its owner and kind."""
    owner = next((found for name in _PAGES if (found := getattr(ledger, name, None)) is not None), None)
    text = f"{owner} ({ledger.kind})" if owner is not None else f"Platform {ledger.kind}"
    return link("billing_credits_ledgeraccount", ledger.id, text)


def ledgers_found(term: str) -> list[UUID]:
    """Ledger accounts by their own id or that of whom they belong to, or by part of the tenant's name."""
    found = uuid_in(term)
    paths = ("id", "tenant_id") if found else ("tenant__name__icontains", "tenant__slug__icontains")
    condition = Q(id=found) if found else Q()
    for owner in _PAGES:
        for path in paths:
            condition |= Q(**{f"{owner}__{path}": found or term})
    return list(LedgerAccount.objects.filter(condition).values_list("id", flat=True)[:_MOST_LEDGERS])
