"""Where Checkout sends people back to (S2)."""

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from billing.console.access import ConsoleRequest, Member, member_page
from billing.console.pages.checkout_return import MAX_LOOKS, Outcome, checkout_page
from billing.console.queries import find_checkout
from billing.console.rendering import render_page
from billing.core.problems import Problem
from billing.stripe_sync.client import ONLY_READ, asking_stripe
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.services.sync_checkout import sync_checkout
from tenants.permissions import Permission


@require_safe
@member_page(Permission.BILLING_MANAGE)
def returned(request: ConsoleRequest, member: Member, key: UUID) -> HttpResponse:
    """What was bought; until it is there the page asks again, by `?looks=`, and each time Stripe is read afresh.

    So it neither waits for the webhook nor minds if that was first.
    """
    at = now()
    checkout, looks = _checkout(member, key), _looks(request.GET.get("looks", "0"))
    page = checkout_page(checkout, key, at, looks=looks)
    if page.outcome is Outcome.CONFIRMING:
        problem = _look_at_stripe(checkout, at)
        page = checkout_page(_checkout(member, key), key, at, looks=looks, problem=problem)
    return render_page(request, member, "console/checkout.html", page, fragment="console/checkout/_outcome.html")


@require_safe
@member_page(Permission.BILLING_MANAGE)
def cancelled(request: ConsoleRequest, member: Member, key: UUID) -> HttpResponse:
    """The person left the payment page: nothing was charged, and it can still be paid for as long as it is open."""
    page = checkout_page(_checkout(member, key), key, now())
    return render_page(request, member, "console/checkout_cancelled.html", page)


def _checkout(member: Member, key: UUID) -> CheckoutSession:
    """Of any account that the person manages: another one may have been chosen in another tab meanwhile."""
    managed = [e.account.id for e in member.open_accounts if Permission.BILLING_MANAGE in e.permissions]
    checkout = find_checkout(account_ids=managed, key=str(key))
    if checkout is None:
        raise Http404
    return checkout


def _look_at_stripe(checkout: CheckoutSession, at: datetime) -> Problem | None:
    """Apply what Stripe says of the session; why it could not be asked, if so."""
    if not checkout.session_id:
        return None
    try:
        with asking_stripe(doing="confirm the payment", outcome=ONLY_READ):
            sync_checkout(session_id=checkout.session_id, at=at)
    except Problem as problem:
        return problem
    return None


def _looks(text: str) -> int:
    return min(int(text), MAX_LOOKS) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
