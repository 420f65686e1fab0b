"""Creators at Stripe: onboarding, transfers, and what becomes of them."""

from datetime import datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import stripe as stripe_sdk
from django.conf import settings as django_settings
from pytest_django import Settings

from billing.core.problems import Problem
from billing.credits.errors import PayoutRefused
from billing.credits.models import Creator, Payout
from billing.credits.services.check_ledger import check_ledger
from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.services.open_onboarding import open_onboarding
from billing.stripe_sync.services.pay_creator import pay_creator
from billing.stripe_sync.services.send_payout import send_payouts
from billing.stripe_sync.services.sync_connected_account import sync_connected_account
from billing.stripe_sync.services.sync_transfer import sync_transfer
from sandbox.stripe.process import StripeSandbox
from tenants.models import AuditEvent
from tenants.services.record_audit import SYSTEM
from tests.credits.make import make_creator, make_wallet, owed_to, sell
from tests.make import AT, make_customer
from tests.money_make import in_threads
from tests.stripe_sync.paying import open_purchase, press_pay

db = pytest.mark.django_db
shop = pytest.mark.usefixtures("catalogue")
State = Payout.State
LATER = AT + timedelta(minutes=5)


def onboard(creator: Creator) -> str:
    """Ask for the link and press its page's button."""
    url = open_onboarding(creator_id=creator.id, return_url=django_settings.QUAESTOR_ORIGIN, at=AT, actor=SYSTEM)
    assert httpx.post(url).is_redirect
    return Creator.objects.get(id=creator.id).external_account


def make_payable(stripe: StripeSandbox, *, funds: str = "100") -> Creator:
    """A creator that may be paid and is owed 8 dollars, and a platform with money at Stripe."""
    press_pay(stripe, open_purchase(make_customer().account, stripe, funds))
    creator = make_creator(is_ready=False)
    sync_connected_account(external_account=onboard(creator))
    sell(creator, make_wallet("10"), "10")
    return creator


def pay(creator: Creator, *, at: datetime = AT) -> Payout:
    return pay_creator(creator_id=creator.id, at=at, actor=SYSTEM)


def transfers() -> list[stripe_sdk.Transfer]:
    return stripe_client().v1.transfers.list({"limit": 100}).data


def break_transfers(stripe: StripeSandbox, kind: str) -> None:
    """The SDK tries three times."""
    fault = {"method": "POST", "path": "/v1/transfers", "kind": kind, "status": 500, "times": 3}
    stripe.call("POST", "/_sandbox/faults", fault)


@db
def test_creator_says_how_it_is_paid(stripe: StripeSandbox) -> None:
    """M10: one account a creator, ready once its page at Stripe is done."""
    creator = make_creator(is_ready=False)
    first = open_onboarding(creator_id=creator.id, return_url=django_settings.QUAESTOR_ORIGIN, at=AT, actor=SYSTEM)
    assert first.startswith(stripe.url)
    external_account = onboard(creator)
    assert not Creator.objects.get().payouts_enabled
    assert sync_connected_account(external_account=external_account)
    assert Creator.objects.get().payouts_enabled
    assert len(stripe_client().v1.accounts.list().data) == 1
    assert AuditEvent.objects.filter(action="creator.account_made").count() == 1


@db
def test_account_that_is_gone(stripe: StripeSandbox) -> None:
    """M10: a creator whose account was deleted cannot be paid; an account of nobody's is passed over."""
    creator = make_creator(is_ready=False)
    external_account = onboard(creator)
    sync_connected_account(external_account=external_account)
    stripe_client().v1.accounts.delete(external_account)
    assert sync_connected_account(external_account=external_account)
    assert not Creator.objects.get().payouts_enabled
    assert not sync_connected_account(external_account="acct_unknown")


@shop
def test_creator_is_paid(stripe: StripeSandbox) -> None:
    """M10: what is owed is sent to the creator's account, and no more is."""
    creator = make_payable(stripe)
    payout = pay(creator)
    (transfer,) = transfers()
    assert (payout.state, payout.external_id, payout.amount) == (State.PAID, transfer.id, 8)
    assert (transfer.amount, transfer.destination) == (800, Creator.objects.get().external_account)
    assert owed_to(creator) == "0"
    with pytest.raises(PayoutRefused, match="Nothing is owed"):
        pay(creator)
    assert check_ledger(at=AT) == []


@shop
def test_refused_payout_is_owed_again(stripe: StripeSandbox) -> None:
    """M10: without money at Stripe the payout fails with its reason, and the next one has a key of its own."""
    creator = make_payable(stripe, funds="5")
    payout = pay(creator)
    assert payout.state == State.FAILED
    assert "insufficient funds" in payout.error
    assert owed_to(creator) == "8"
    press_pay(stripe, open_purchase(make_customer().account, stripe, "100"))
    assert pay(creator).state == State.PAID
    assert len(transfers()) == 1
    assert check_ledger(at=AT) == []


@shop
@pytest.mark.parametrize("kind", ["lost", "timeout", "status"])
@pytest.mark.parametrize("later", [LATER, AT + timedelta(days=3)])
def test_unknown_outcome_is_never_doubled(stripe: StripeSandbox, kind: str, later: datetime) -> None:
    """M10: the money is on its way until Stripe says what became of it, minutes or days later."""
    creator = make_payable(stripe)
    break_transfers(stripe, kind)
    assert pay(creator).state == State.PENDING
    assert owed_to(creator) == "0"
    with pytest.raises(PayoutRefused, match="on its way"):
        pay(creator)
    stripe.call("POST", "/_sandbox/clock", {"advance_seconds": int((later - AT).total_seconds())})
    assert send_payouts(at=later) == 1
    assert send_payouts(at=later) == 0
    assert len(transfers()) == 1
    assert Payout.objects.get().state == State.PAID
    assert check_ledger(at=later) == []


@shop
def test_event_of_a_transfer_whose_answer_was_lost(stripe: StripeSandbox) -> None:
    """M10, S4: the transfer itself names the payout that it is of."""
    creator = make_payable(stripe)
    break_transfers(stripe, "lost")
    pay(creator)
    (transfer,) = transfers()
    assert sync_transfer(transfer_id=transfer.id, at=AT)
    assert Payout.objects.get().state == State.PAID
    assert send_payouts(at=LATER) == 0


@shop
def test_reversed_transfer_is_followed(stripe: StripeSandbox) -> None:
    """M10: what Stripe took back is owed again, in parts or whole, once."""
    creator = make_payable(stripe)
    transfer_id = pay(creator).external_id
    reversals = stripe_client().v1.transfers.reversals
    reversals.create(transfer_id, {"amount": 300})
    for _ in range(2):
        assert sync_transfer(transfer_id=transfer_id, at=AT)
    assert (Payout.objects.get().state, Payout.objects.get().returned) == (State.PAID, Decimal(3))
    assert owed_to(creator) == "3"
    reversals.create(transfer_id)
    assert sync_transfer(transfer_id=transfer_id, at=AT)
    assert Payout.objects.get().state == State.REVERSED
    assert owed_to(creator) == "8"
    assert check_ledger(at=AT) == []


@shop
def test_transfers_of_others(stripe: StripeSandbox) -> None:
    """S4: a transfer that somebody made at Stripe by hand is passed over."""
    creator = make_payable(stripe)
    account = Creator.objects.get(id=creator.id).external_account
    for metadata in ({}, {"quaestor_payout": "nonsense"}, {"quaestor_payout": f"pay_{creator.id.hex}"}):
        made = stripe_client().v1.transfers.create(
            {"amount": 100, "currency": "usd", "destination": account, "metadata": metadata}
        )
        assert not sync_transfer(transfer_id=made.id, at=AT)


@db
def test_without_stripe(settings: Settings) -> None:
    """S6: nothing leaves the ledger while there is no way to send it."""
    settings.STRIPE_SECRET_KEY = ""
    creator = make_creator()
    sell(creator, make_wallet("10"))
    with pytest.raises(Problem, match="stripe-not-configured"):
        pay(creator)
    assert send_payouts(at=AT) == 0
    assert owed_to(creator) == "8"


@pytest.mark.usefixtures("own_database")
def test_second_capture_while_the_first_is_unknown(stripe: StripeSandbox) -> None:
    """Money: clicks and workers at once, while answers are lost, send what is owed once."""
    creator = make_payable(stripe)
    break_transfers(stripe, "lost")
    in_threads(lambda number: _click(creator) if number % 2 else send_payouts(at=LATER), 8, threads=8)
    send_payouts(at=LATER)
    assert len(transfers()) == 1
    assert Payout.objects.get().state == State.PAID
    assert owed_to(creator) == "0"
    assert check_ledger(at=LATER) == []


def _click(creator: Creator) -> None:
    try:
        pay(creator)
    except PayoutRefused:
        return
