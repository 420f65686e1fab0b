"""Alerts of limits that are being used up: once a threshold and window, with an e-mail that helps."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.notifications.models import Notice
from billing.subscriptions import directory
from billing.subscriptions.queries import terms_of
from billing.usage.alerts import alerts_of, burns_of
from billing.usage.models import BurnAlert, UsageWatch
from billing.usage.services import watch_usage as watching
from billing.usage.services.flush_rollups import flush_all_rollups
from billing.usage.services.watch_usage import watch_usage
from billing.usage.tasks import watch_usage as task
from tests.make import AT, Customer, make_customer
from tests.money_make import event, in_threads, report, start
from tests.runtime.limits import control, use_up
from tests.usage.alerting import alerts, mail, mails, touch, use, watch

DAY = timedelta(days=1)
EXECUTIONS, CAP, USER_CAP = "executions_per_month", "spend_cap_per_day", "spend_cap_per_user_day"


@pytest.mark.usefixtures("catalogue")
class TestOneByOne:
    def test_each_threshold_once(self) -> None:
        """M9: at 50, 80 and 100 %, in the order in which they are passed, each once in a period."""
        customer = make_customer("free")
        for used in ("49", "1", "29", "1", "19", "1", "30"):
            use(customer, EXECUTIONS, used)
            watch(customer)
        assert alerts(customer) == [(EXECUTIONS, 50, True), (EXECUTIONS, 80, True), (EXECUTIONS, 100, True)]
        assert mails(customer) == [
            "50 % of the period’s executions used",
            "80 % of the period’s executions used",
            "the period’s executions are used up",
        ]

    def test_several_at_once_are_one_e_mail(self) -> None:
        """M9: of what was passed since the last look all is recorded, and the highest told."""
        customer = make_customer("free")
        use(customer, EXECUTIONS, "85")
        assert alerts(customer) == [(EXECUTIONS, 50, False), (EXECUTIONS, 80, True)]
        assert mails(customer) == ["80 % of the period’s executions used"]

    def test_next_period_begins_again(self) -> None:
        """M9, P5: a threshold is told again in the next window."""
        customer = make_customer("free")
        april = AT.replace(month=4)
        use(customer, EXECUTIONS, "50")
        use_up(customer, EXECUTIONS, "50", since=terms_of(customer.account.id, april).period(april).start)
        assert watch(customer, at=april) == 1
        assert mails(customer) == ["50 % of the period’s executions used"] * 2

    def test_every_watched_limit(self) -> None:
        """M9, P8: executions, the overage's ceiling, the day's cap; tokens where a plan counts them."""
        customer, other = make_customer("pro"), make_customer("starter")
        control(customer, overage_enabled=True, overage_ceiling="10", daily_cap="4")
        use(customer, EXECUTIONS, "2500")
        use(customer, "overage", "8.004")
        use(customer, CAP, "4")
        use(other, "tokens_per_month", "12000000")
        told = [(feature, threshold) for feature, threshold, is_told in alerts(customer) if is_told]
        assert told == [(EXECUTIONS, 50), ("overage", 80), (CAP, 100)]
        assert mails(customer)[1:] == [
            "80 % of the ceiling for paid executions used",
            "the spend cap for the day is reached",
        ]
        assert mails(other) == ["80 % of the period’s tokens used"]

    def test_caps_of_users(self) -> None:
        """M9: a user's cap is told of once it is reached, the first user of a day by e-mail; the next day again."""
        customer = make_customer("free")
        use(customer, USER_CAP, "0.99", subject="ann")
        assert alerts(customer) == []
        for subject in ("eve", "bob"):
            use_up(customer, USER_CAP, "1", subject=subject)
        watch(customer)
        use(customer, USER_CAP, "0.01", subject="ann")
        rows = BurnAlert.objects.order_by("subject").values_list("subject", "threshold", "told")
        assert list(rows) == [("ann", 100, False), ("bob", 100, True), ("eve", 100, False)]
        assert mails(customer) == ["a user’s spend cap for the day is reached"]
        use(customer, USER_CAP, "1", subject="ann", since=(AT + DAY).replace(hour=0))
        assert len(mails(customer)) == 2

    def test_alerts_that_nobody_wants(self) -> None:
        """M9: recorded for the console, and not written about."""
        customer = make_customer("free")
        control(customer, burn_alerts=False)
        use(customer, EXECUTIONS, "100")
        assert alerts(customer) == [(EXECUTIONS, 50, False), (EXECUTIONS, 80, False), (EXECUTIONS, 100, False)]
        assert mails(customer) == []

    def test_without_limit_or_plan(self) -> None:
        """M9: what has no limit is not watched, and an account without a plan holds up nobody."""
        unlimited, lost, free = make_customer("payg", balance="99"), make_customer("free"), make_customer("free")
        lost.account.subscriptions.all().delete()
        use_up(unlimited, EXECUTIONS, "1000000")
        use_up(free, EXECUTIONS, "50")
        assert watch(unlimited, lost, free) == 3
        assert (alerts(unlimited), alerts(lost), len(alerts(free))) == ([], [], 1)
        assert not UsageWatch.objects.exists()

    def test_usage_brings_an_account_onto_the_list(self) -> None:
        """M9, U4: from an event over folding to the alert, without anybody asking."""
        customer = make_customer("free")
        report(customer, *[event(model="gpt-4o-mini") for _ in range(50)])
        flush_all_rollups()
        assert (task(), watch_usage(at=AT)) == (1, 0)
        assert alerts(customer) == []  # the task's clock is not in the period of the usage
        touch(customer)
        assert watch_usage(at=AT) == 1
        assert alerts(customer) == [(EXECUTIONS, 50, True)]

    def test_terms_that_have_changed(self) -> None:
        """M9: what the process remembers of an account is checked against its version."""
        customer = make_customer("payg", balance="99")
        use(customer, CAP, "3")
        directory.terms_at(customer.account.id, AT)
        control(customer, daily_cap="4")
        watch(customer)
        assert alerts(customer) == [(CAP, 50, True)]

    def test_queries_do_not_grow_with_accounts(self) -> None:
        """M9: a batch takes as many queries for twenty accounts that are told of as for two."""

        def queries(number: int) -> int:
            customers = [make_customer("free") for _ in range(number)]
            for customer in customers:
                use_up(customer, EXECUTIONS, "85")
                use_up(customer, USER_CAP, "1", subject="bob")
                directory.terms_at(customer.account.id, AT)
            touch(*customers)
            with CaptureQueriesContext(
                connection,
            ) as captured:
                assert watch_usage(at=AT) == number
            return len(captured)

        assert queries(2) == queries(20) <= 21

    def test_limit_of_a_call(self) -> None:
        """M9: the oldest first, as many as were asked for."""
        customers = [make_customer("free") for _ in range(3)]
        touch(*customers)
        assert (watch_usage(at=AT, limit=2), watch_usage(at=AT, limit=2)) == (2, 1)

    def test_all_or_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """M9: where the e-mail cannot be written the alert is not, and the account stays on the list."""
        customer = make_customer("free")
        use_up(customer, EXECUTIONS, "50")

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("power cut")

        with monkeypatch.context() as patched, transaction.atomic():
            patched.setattr(watching, "tell_of_low_balances", broken)
            with pytest.raises(RuntimeError):
                watch(customer)
        assert (alerts(customer), mails(customer), UsageWatch.objects.count()) == ([], [], 1)

    def test_pages_and_bars(self) -> None:
        """M9: the console's list, newest first, and its bars with what is running."""
        customer = make_customer("free")
        use(customer, EXECUTIONS, "50")
        use(customer, EXECUTIONS, "30")
        newest, older = alerts_of(account_id=customer.account.id, limit=5)
        assert {newest.threshold, older.threshold} == {50, 80}
        position = newest.created_at, newest.id
        assert alerts_of(account_id=customer.account.id, limit=5, before=position) == [older]
        control(customer, daily_cap="0.01")
        start(customer, model="gpt-4o-mini")
        bars = burns_of(terms_of(customer.account.id, AT), AT)
        assert [(bar.feature, bar.used, bar.quota, bar.percent, bar.source) for bar in bars] == [
            (EXECUTIONS, 81, 100, 81, "plan:free"),
            (CAP, Decimal("0.00045"), Decimal("0.01"), 4, "cap"),
        ]


@pytest.mark.usefixtures("catalogue")
class TestTexts:
    def test_before_the_limit(self) -> None:
        """M9: figures, when the period ends here and in UTC, what happens at the limit, what can be done."""
        customer = make_customer("pro")
        customer.tenant.timezone = "Asia/Tokyo"
        customer.tenant.save()
        use(customer, EXECUTIONS, "4012")
        facts, window, meaning, to_do, again = mail(customer)
        assert facts == (
            "Billing account “Default”, plan Pro: 4,012 of 5,000 executions used, 80 % of the limit of Pro."
        )
        assert window == (
            "This billing period ends on 10 April 2026, 21:00 in Asia/Tokyo (10 April 2026, 12:00 UTC). Then counting "
            "starts over."
        )
        assert meaning == (
            "At 100 % new runs are refused with status 402; what is running ends as usual. From 3,000 executions on, "
            "1 a minute may start; more are answered with status 429 and when to try again. Runs on your own provider "
            "keys are not counted and go on."
        )
        assert to_do == (
            "What you can do: choose a plan with a higher limit on the page “Plans”, or allow executions past the "
            "limit on the page “Alerts and caps” of the console: each costs 0.01 USD."
        )
        assert again == (
            "You are told at 50, 80 and 100 %, once each a period. Who manages billing can turn these e-mails "
            "off on the page “Alerts and caps” of the console."
        )

    def test_executions_that_are_paid_for(self) -> None:
        """P8, M9: whoever has opted in reads that runs go on, and at what price."""
        customer = make_customer("pro")
        control(customer, overage_enabled=True, overage_ceiling="25")
        use(customer, EXECUTIONS, "5000")
        assert (
            "Until then runs go on, because you allow paid executions: each one past the limit costs 0.01 USD on your "
            "next invoice, 25.00 USD in this period at most. Past that amount runs are refused."
        ) in mail(customer)[2]

    def test_own_cap(self) -> None:
        """M9: whose cap it is, and where it is changed."""
        customer = make_customer("payg", balance="99")
        control(customer, daily_cap="5")
        use(customer, CAP, "2.5049")
        facts, window, _, to_do, _ = mail(customer)
        assert "2.5049 USD of 5.00 USD used, 50 % of the cap that you have set for a day." in facts
        assert window.startswith("This day, which is a day in UTC, ends on 11 March 2026, 00:00 UTC.")
        assert "raise or lift the cap on the page “Alerts and caps”" in to_do

    def test_small_cap(self) -> None:
        """M9: what is used is not rounded up to the limit."""
        customer = make_customer("payg", balance="99")
        control(customer, daily_cap="0.01")
        use(customer, CAP, "0.00775")
        assert "0.00775 USD of 0.01 USD used, 77 % of the cap" in mail(customer)[0]

    def test_cap_of_a_user(self) -> None:
        """M9: who it is, and that others go on."""
        customer = make_customer("free")
        use(customer, USER_CAP, "1.2", subject="bob\n\n smith")
        facts, _, meaning, _, repeats = mail(customer)
        assert "1.20 USD of 1.00 USD used by user “bob smith”, more than 100 % of the limit of Free." in facts
        assert "runs of this user are refused with status 402; those of other users go on." in meaning
        assert repeats.startswith("Other users who reach their cap today are listed on that page")


def _customers(number: int) -> list[Customer]:
    customers = [make_customer("free") for _ in range(number)]
    for customer in customers:
        use_up(customer, EXECUTIONS, "85")
    return customers


@pytest.mark.usefixtures("own_database")
def test_workers_at_once_tell_once() -> None:
    """M9: two workers share what there is; an account that comes back while they look is told of once as well."""
    customers = _customers(30)
    touch(*customers)

    def work(number: int) -> int:
        if number % 2:
            touch(*customers)
        return watch_usage(at=AT, limit=1000)

    assert sum(in_threads(work, 8)) >= 30
    watch_usage(at=AT)
    assert BurnAlert.objects.count() == 60
    assert Notice.objects.count() == BurnAlert.objects.filter(told=True).count() == 30


@pytest.mark.usefixtures("own_database")
def test_worker_passes_over_what_another_has() -> None:
    """M9: an account in another worker's hands is waited for by nobody."""
    first, second = _customers(2)
    touch(first)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM billing_usage_usagewatch FOR UPDATE")
        assert in_threads(lambda _: watch(second), 1) == [1]
    assert (alerts(first), len(alerts(second))) == ([], 2)
