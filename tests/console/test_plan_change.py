"""The page before a change of plan (P10, K11)."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from billing.stripe_sync.client import stripe_client
from billing.stripe_sync.models import CheckoutSession
from billing.stripe_sync.services.toggle_byok import toggle_byok
from billing.subscriptions.models import Subscription
from billing.subscriptions.queries import subscription_at
from sandbox.stripe.process import TEST_KEY, StripeSandbox
from tenants.permissions import Role
from tenants.services.record_audit import Actor
from tests.api.paying import at_stripes_time, subscribe_by_card
from tests.console.make import HTMX, QueryCount, make_client
from tests.console.paying import MONTH, make_agreement
from tests.make import AT, Customer, make_account, make_customer

PRO = {"plan": "pro", "terms": "monthly-standard"}
FREE = {"plan": "free", "terms": "monthly-standard"}


def confirmed(**fields: object) -> dict[str, object]:
    """What the button of the page sends."""
    return {"seats": 1, "key": str(uuid4())} | fields


def test_first_plan_says_what_is_charged_now_and_then(customer: Customer, settings: Settings) -> None:
    """P10: for all seats, and on which day again."""
    settings.STRIPE_SECRET_KEY = TEST_KEY
    client = make_client(customer.tenant)
    response = client.get("/plans/change", {"plan": "team", "terms": "yearly-byok", "seats": "3"})
    page = response.context["page"]
    assert (page.step, page.total, page.next_at) == ("checkout", Decimal(570), AT.replace(year=2027))
    assert "3 seats at $190.00" in response.text
    assert "first on 10 Mar 2027" in response.text
    assert "Continue to payment" in response.text


def test_without_stripe_nothing_can_be_paid(customer: Customer) -> None:
    """S6: the page says so, and the button does."""
    client = make_client(customer.tenant)
    assert "Card payments are not set up" in client.get("/plans/change", PRO).text
    response = client.post("/plans/change", confirmed(**PRO))
    assert response.status_code == 503
    assert "Stripe is not configured" in response.text


def test_free_plan_is_taken_at_once(customer: Customer) -> None:
    """P10: where nothing is paid, without Stripe."""
    client = make_client(customer.tenant)
    assert client.get("/plans/change", FREE).context["page"].step == "at_once"
    assert client.post("/plans/change", confirmed(**FREE)).status_code == 302
    assert subscription_at(customer.account.id, AT + timedelta(seconds=1)).plan_version.plan.slug == "free"
    assert "you are on Free" in client.get("/plans/").text


def test_what_one_has_already_is_no_change(customer: Customer) -> None:
    """P10: nothing to confirm, and confirming it from an old page changes nothing."""
    client, there = make_client(customer.tenant), {"plan": "payg", "terms": "monthly-standard"}
    assert client.get("/plans/change", there).context["page"].step == "unchanged"
    assert client.post("/plans/change", confirmed(**there)).status_code == 302
    assert Subscription.objects.filter(account=customer.account).count() == 1


def test_cancelling_names_the_day_and_what_is_lost(customer: Customer) -> None:
    """P10: allowances stay until then, the free plan follows."""
    make_agreement(customer)
    response = make_client(customer.tenant).get("/plans/change", FREE)
    page = response.context["page"]
    assert (page.step, page.present.renews_at) == ("cancel", AT + MONTH)
    assert "Cancel on 10 Apr 2026" in response.text
    assert "Running agents" in [row.label for row in page.differences.features]


@pytest.mark.usefixtures("stripe_away")
def test_stripe_away_is_said_and_can_be_tried_again(customer: Customer) -> None:
    """S6: a page with the reason, no half change."""
    make_agreement(customer)
    client = make_client(customer.tenant)
    response = client.get("/plans/change", {"plan": "team", "terms": "monthly-standard", "seats": "2"})
    assert response.context["page"].problem.code == "stripe-unavailable"
    assert "Try again" in response.text
    response = client.post("/plans/change", confirmed(**FREE))
    assert response.status_code == 503
    assert "Stripe does not answer" in response.text
    assert "Cancel on" in response.text


def test_plan_of_staff_may_be_made_smaller(customer: Customer) -> None:
    """K11: the switch of keys costs nothing where nothing is paid; a larger plan is paid for."""
    given = make_customer("pro")
    client = make_client(given.tenant)
    own_keys = {"plan": "pro", "terms": "monthly-byok"}
    assert client.get("/plans/change", own_keys).context["page"].step == "at_once"
    assert client.get("/plans/change", {"plan": "team", "terms": "monthly-byok"}).context["page"].step == "checkout"
    client.post("/plans/change", confirmed(**own_keys))
    assert subscription_at(given.account.id, AT + timedelta(seconds=1)).variant == "byok"


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"plan": "nothing", "terms": "monthly-standard"},
        {"plan": "enterprise", "terms": "monthly-standard"},
        {"plan": "developer", "terms": "yearly-standard"},
        {"plan": "pro", "terms": "weekly-standard"},
        {"plan": "../etc", "terms": "monthly-standard"},
    ],
)
def test_what_is_not_offered_is_not_found(customer: Customer, query: dict[str, str]) -> None:
    """P2: custom plans and unknown combinations."""
    client = make_client(customer.tenant)
    assert client.get("/plans/change", query).status_code == 404
    assert client.post("/plans/change", confirmed(**query)).status_code == 404


@pytest.mark.parametrize("seats", ["0", "-1", "10001", "many", "1.5"])
def test_impossible_seats_are_explained(customer: Customer, seats: str) -> None:
    """P2: back to the plans with the reason; a swap takes the whole page there."""
    client, query = make_client(customer.tenant), {"plan": "team", "terms": "monthly-standard", "seats": seats}
    assert "from 1 to 10,000" in client.get("/plans/change", query, follow=True).text
    assert client.get("/plans/change", query, headers=HTMX)["HX-Redirect"] == "/plans/"


def test_seats_swap_the_review_alone(customer: Customer) -> None:
    """F1: htmx gets the part that depends on them."""
    query = {"plan": "team", "terms": "monthly-standard", "seats": "2"}
    fragment = make_client(customer.tenant).get("/plans/change", query, headers=HTMX)
    assert "<html" not in fragment.text
    assert "$58.00" in fragment.text


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.VIEWER])
def test_others_only_read(customer: Customer, role: Role) -> None:
    """F4: no buttons, and none that works."""
    make_agreement(customer)
    client = make_client(customer.tenant, role)
    text = client.get("/plans/").text
    assert "Your plan" in text
    assert not [word for word in ("Choose Team", "Cancel plan", "Switch to own keys") if word in text]
    assert client.get("/plans/change", PRO).status_code == 403
    assert client.post("/plans/change", confirmed(**FREE)).status_code == 403
    assert client.post("/plans/resume").status_code == 403


def test_key_that_is_none_is_not_found(customer: Customer) -> None:
    """F1: a button always sends one."""
    client = make_client(customer.tenant)
    assert client.post("/plans/change", FREE | {"key": "x"}).status_code == 404


def test_resuming_nothing_is_explained(customer: Customer) -> None:
    """P10: no error page."""
    response = make_client(customer.tenant).post("/plans/resume", follow=True)
    assert "The account pays for no plan by card." in response.text


def test_queries(customer: Customer, django_assert_num_queries: QueryCount) -> None:
    """F1: session, user, two for accounts, subscription, four for the catalogue, agreement, models, frame."""
    client = make_client(customer.tenant)
    with django_assert_num_queries(12):
        client.get("/plans/change", PRO)


def test_button_pressed_twice_opens_one_page(stripe_catalogue: StripeSandbox, settings: Settings) -> None:
    """S2: both lead to the same Checkout page, for the origin that the person is at."""
    settings.BILLING_RETURN_ORIGINS = ["http://testserver"]
    customer = make_customer("free")
    client, fields = make_client(customer.tenant), confirmed(**PRO)
    first, second = client.post("/plans/change", fields), client.post("/plans/change", fields)
    assert first["Location"] == second["Location"]
    assert first["Location"].startswith(stripe_catalogue.url)
    checkout = CheckoutSession.objects.get()
    session = stripe_client().v1.checkout.sessions.retrieve(checkout.session_id)
    assert session.success_url == f"http://testserver/billing/return/{fields['key']}"
    assert session.cancel_url == f"http://testserver/billing/return/{fields['key']}/cancelled"
    assert "You have not paid for Pro yet" in client.get("/plans/").text


def test_earlier_changes_have_a_row_of_their_own(stripe_catalogue: StripeSandbox) -> None:
    """P10: what is shown of this change is of this change alone, and adds up to what is charged or credited."""
    customer = make_customer("free")
    subscribe_by_card(stripe_catalogue, customer)
    client, rows = make_client(customer.tenant), []
    for enabled, terms in ((True, "monthly-standard"), (False, "monthly-byok")):
        with at_stripes_time(stripe_catalogue):
            toggle_byok(account_id=customer.account.id, enabled=enabled, actor=Actor(), at=now())
            response = client.get("/plans/change", {"plan": "pro", "terms": terms})
        page = response.context["page"]
        rows.append("From earlier changes this period" in response.text)
        assert 0 < page.preview.credit <= 9
        assert (
            page.amount_due - page.amount_credited == page.preview.charge - page.preview.credit + page.preview.pending
        )
    assert rows == [True, False]  # the second switch has taken back what the first one left


def test_closed_page_of_the_history_gets_a_new_key(stripe_catalogue: StripeSandbox, settings: Settings) -> None:
    """S2: going back to a page whose Checkout is over does not end in a riddle about keys."""
    settings.BILLING_RETURN_ORIGINS = ["http://testserver"]
    customer = make_customer("free")
    client, fields = make_client(customer.tenant), confirmed(**PRO)
    client.post("/plans/change", fields)
    CheckoutSession.objects.update(state="expired")
    response = client.post("/plans/change", fields)
    assert response.context["page"].problem is None
    assert response.context["page"].key != fields["key"]
    assert "Press the button once more" in response.text


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 429}, {"kind": "status", "status": 500}, {"kind": "lost"}]
)
def test_fault_of_stripe_is_said_and_tried_again(
    stripe_catalogue: StripeSandbox, settings: Settings, fault: dict[str, object]
) -> None:
    """S2, S6: the same button works once Stripe does, and opens the page that an answer was lost of."""
    settings.BILLING_RETURN_ORIGINS = ["http://testserver"]
    customer = make_customer("free")
    client, fields = make_client(customer.tenant), confirmed(**PRO)
    where = {"method": "POST", "path": "^/v1/checkout/sessions$", "times": 3}
    stripe_catalogue.call("POST", "/_sandbox/faults", where | fault)
    refused = client.post("/plans/change", fields)
    assert refused.status_code == 503
    assert "Stripe could not open the payment page" in refused.text
    assert f'name="key" value="{fields["key"]}"' in refused.text
    stripe_catalogue.call("DELETE", "/_sandbox/faults")
    assert client.post("/plans/change", fields)["Location"].startswith(stripe_catalogue.url)
    assert len(stripe_client().v1.checkout.sessions.list().data) == 1


@pytest.mark.usefixtures("clock")
def test_hidden_plan_of_another_is_not_found(customer: Customer, clock: time_machine.Traveller) -> None:
    """P2: also not by its name."""
    make_account(customer.tenant, "team", name="Second", is_default=False)
    plan = Subscription.objects.get(plan_version__plan__slug="team").plan_version.plan
    plan.is_public = False
    plan.save()
    client = make_client(customer.tenant)
    assert client.get("/plans/change", {"plan": "team", "terms": "monthly-standard"}).status_code == 404
