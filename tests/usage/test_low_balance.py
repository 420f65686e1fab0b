"""The alert of prepaid credits that run low."""

from datetime import timedelta

import pytest

from billing.subscriptions.models import BillingAccount
from billing.usage.models import LowBalance, UsageWatch
from billing.usage.services.watch_usage import watch_usage
from tests.make import AT, Customer, make_credits, make_customer
from tests.money_make import event, make_grant, report, start
from tests.runtime.limits import refusal
from tests.usage.alerting import mail, mails, watch

pytestmark = pytest.mark.usefixtures("catalogue")
MINUTE = timedelta(minutes=1)


def spend(customer: Customer, cost: str, *, at: int = 0) -> None:
    """Callbacks at 0.004 dollars each that come to this; then the worker looks."""
    when = AT + at * MINUTE
    quantity = str(int(float(cost) / 0.004))
    report(customer, event(product="callbacks", quantity=quantity), at=when)
    watch(customer, at=when)


def test_once_until_it_has_recovered() -> None:
    """M9: at less than the threshold of ten dollars; again only after the balance was above it."""
    customer = make_customer("payg", balance="20")
    spend(customer, "10")
    assert mails(customer) == []
    spend(customer, "0.4", at=1)
    spend(customer, "2", at=2)
    assert mails(customer) == ["9.60 USD of credits left"]
    make_credits(customer.account, "2", at=AT + 3 * MINUTE)
    spend(customer, "0.4", at=4)
    assert len(mails(customer)) == 1
    make_credits(customer.account, "20", at=AT + 5 * MINUTE)
    spend(customer, "0.4", at=6)
    assert not LowBalance.objects.exists()
    spend(customer, "20", at=7)
    assert len(mails(customer)) == 2


def test_top_up_that_is_spent_before_anybody_looks() -> None:
    """M9: it lifted the balance above the threshold, so that its end is news."""
    customer = make_customer("payg", balance="5")
    spend(customer, "1")
    make_credits(customer.account, "10", at=AT + MINUTE)
    spend(customer, "10", at=2)
    assert mails(customer) == ["4.00 USD of credits left"] * 2


def test_threshold_of_the_customer() -> None:
    """M9: the customer's own amount; zero turns the alert off."""
    customer, silent = make_customer("payg", balance="20"), make_customer("payg")
    BillingAccount.objects.filter(id=customer.account.id).update(low_balance_threshold=20)
    BillingAccount.objects.filter(id=silent.account.id).update(low_balance_threshold=0)
    for one in (customer, silent):
        spend(one, "0.4")
    assert (mails(customer), mails(silent)) == (["19.60 USD of credits left"], [])


def test_only_where_credits_pay() -> None:
    """M9: a plan that includes its usage has no balance to run low."""
    customer = make_customer("pro")
    spend(customer, "5")
    assert mails(customer) == []


def test_expired_credits_do_not_count() -> None:
    """M6, M9: what has expired is not left, though no worker has swept it."""
    customer = make_customer("payg", balance="5")
    make_grant(customer.account.credits, "50", expires_at=AT + MINUTE)
    spend(customer, "0.4")
    assert mails(customer) == []
    watch(customer, at=AT + MINUTE)
    assert mails(customer) == ["5.00 USD of credits left"]


def test_credits_that_do_not_suffice_for_a_run() -> None:
    """M9: whoever's first run is refused hears why, though nothing was used; the next ones cost nothing."""
    customer = make_customer("payg")
    for _ in range(2):
        assert refusal(customer).code == "insufficient-credits"
    assert UsageWatch.objects.count() == 1
    assert watch_usage(at=AT) == 1
    refusal(customer, at=AT + timedelta(seconds=30))
    assert not UsageWatch.objects.exists()
    refusal(customer, at=AT + MINUTE)
    assert watch_usage(at=AT + MINUTE) == 1
    assert mails(customer) == ["0.00 USD of credits left"]


def test_text() -> None:
    """M9: what is left, what is held, what happens next, and what to do."""
    customer = make_customer("payg", balance="5")
    start(customer, max_output_tokens=100_000)
    watch(customer)
    facts, meaning, to_do, again = mail(customer)
    assert facts == (
        "Billing account “Default” has 5.00 USD of prepaid credits left, less than the 10.00 USD that you want to be "
        "told at. Of them 1.0025 USD are held for runs that are under way."
    )
    assert "refused with status 402 before it starts" in meaning
    assert to_do == "What you can do: add credits on the page “Credits” of the console."
    assert "0 turns this e-mail off" in again
