"""Connect: onboarding, transfers, reversals and balances (M10)."""

import pytest
import stripe
from stripe import StripeClient

from sandbox.stripe.process import StripeSandbox
from tests.sandbox.stripe.shop import GOOD, Shop, make_shop

RETURN, REFRESH = "https://shop.example/back", "https://shop.example/again"


@pytest.fixture
def shop(client: StripeClient, stripe_server: StripeSandbox) -> Shop:
    return make_shop(client, stripe_server)


def onboard(shop: Shop, *, complete: bool = True) -> str:
    """The id of a creator's account."""
    account = shop.client.v1.accounts.create({"type": "express", "email": "creator@example.com"})
    if complete:
        assert shop.post(link_of(shop, account.id)) == (303, RETURN)
    return account.id


def link_of(shop: Shop, account: str) -> str:
    return shop.client.v1.account_links.create(
        {"account": account, "type": "account_onboarding", "return_url": RETURN, "refresh_url": REFRESH}
    ).url


def fill_balance(shop: Shop, amount: int) -> None:
    session = shop.purchase(amount)
    shop.server.call("POST", f"/_sandbox/checkout/{session.id}", {"card": GOOD})


def send(shop: Shop, account: str, amount: int) -> stripe.Transfer:
    return shop.client.v1.transfers.create({"amount": amount, "currency": "usd", "destination": account})


def available(shop: Shop, account: str | None = None) -> int:
    options: stripe.RequestOptions = {"stripe_account": account} if account else {}
    return shop.client.v1.balance.retrieve(options=options).available[0].amount


def test_onboarding_enables_payouts(shop: Shop) -> None:
    account = shop.client.v1.accounts.retrieve(onboard(shop, complete=False))
    assert (account.payouts_enabled, account.requirements.disabled_reason) == (False, "requirements.past_due")
    link = link_of(shop, account.id)
    assert shop.get(link)[0] == 200
    assert shop.post(link) == shop.post(link) == (303, RETURN)
    account = shop.client.v1.accounts.retrieve(account.id)
    assert (account.payouts_enabled, account.capabilities.transfers) == (True, "active")
    assert account.requirements.currently_due == []
    assert shop.events().count("account.updated") == 1
    assert shop.get(link) == (303, REFRESH)


def test_a_link_is_good_for_five_minutes(shop: Shop) -> None:
    link = link_of(shop, onboard(shop, complete=False))
    shop.server.call("POST", "/_sandbox/clock", {"advance_seconds": 400})
    assert shop.get(link) == shop.post(link) == (303, REFRESH)


def test_a_controller_says_what_a_type_says(shop: Shop) -> None:
    controller = {"stripe_dashboard": {"type": "express"}, "fees": {"payer": "application"}}
    assert shop.client.v1.accounts.create({"controller": controller}).type == "express"


def test_transfers_need_money_and_a_ready_account(shop: Shop) -> None:
    early, account = onboard(shop, complete=False), onboard(shop)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        send(shop, early, 100)
    assert refusal.value.code == "insufficient_capabilities_for_transfer"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        send(shop, account, 100)
    assert refusal.value.code == "balance_insufficient"
    fill_balance(shop, 1000)
    assert send(shop, account, 100).amount == 100


def test_reversals_bring_money_back(shop: Shop) -> None:
    account = onboard(shop)
    fill_balance(shop, 10_000)
    before = available(shop)
    transfer = send(shop, account, 800)
    assert (available(shop), available(shop, account)) == (before - 800, 800)
    shop.client.v1.transfers.reversals.create(transfer.id, {"amount": 300})
    with pytest.raises(stripe.InvalidRequestError, match="500 left"):
        shop.client.v1.transfers.reversals.create(transfer.id, {"amount": 501})
    assert (available(shop), available(shop, account)) == (before - 500, 500)
    shop.client.v1.transfers.reversals.create(transfer.id)
    transfer = shop.client.v1.transfers.retrieve(transfer.id)
    assert (transfer.reversed, transfer.amount_reversed, len(transfer.reversals.data)) == (True, 800, 2)
    assert [name for name in shop.events() if name.startswith("transfer.")] == [
        "transfer.created",
        "transfer.reversed",
        "transfer.reversed",
    ]
