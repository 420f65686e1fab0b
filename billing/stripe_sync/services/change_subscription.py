from datetime import datetime, timedelta
from uuid import UUID

import stripe
from django.db import transaction

from billing.core.ids import encode_id
from billing.core.problems import Problem, problem
from billing.stripe_sync.changes import Expected, Target
from billing.stripe_sync.client import MAYBE_CHARGED, asking_stripe
from billing.stripe_sync.models import ChangeQuote
from billing.stripe_sync.planned_change import Kind, PlannedChange, nothing_to_change, planned_change
from billing.stripe_sync.reckoning import Wanted, reckon, update_params, wanted_on
from billing.stripe_sync.services.cancel_subscription import cancel_subscription
from billing.stripe_sync.services.expire_checkouts import expire_checkouts
from billing.stripe_sync.services.push_version import price_at_stripe
from billing.stripe_sync.services.sync_customer import lock_customer, sync_customer
from billing.subscriptions.models import BillingAccount
from billing.subscriptions.queries import governing_agreement
from billing.subscriptions.services.put_on_terms import put_on_terms
from billing.subscriptions.services.record_plan_change import record_plan_change
from tenants.services.record_audit import Actor, record_audit

_State = ChangeQuote.State
VALID_FOR = timedelta(minutes=15)


def change_subscription(
    *, account_id: UUID, target: Target, expected: Expected | None, actor: Actor, at: datetime
) -> None:
    """Change the account's plan, seats, interval or variant for what its preview showed, and for nothing else (P10).

    A charge is made at once, and where the card is declined nothing has changed. The same confirmation again is the
    same change. A free plan follows at the period's end, or at once where nothing is paid. Raises Problem:
    account-changed where it would not cost (any more) what was shown, card-declined, and what `preview_change` raises.
    """
    planned = planned_change(account_id, target)
    match planned.kind:
        case Kind.LOCAL:
            _change_locally(planned, actor, at)
        case Kind.AT_PERIOD_END:
            cancel_subscription(account_id=account_id, next_plan_slug=planned.plan_slug, actor=actor, at=at)
        case Kind.PRORATED:
            _change_at_stripe(planned, _quote(planned, expected, at), actor, at)


@transaction.atomic
def _change_locally(planned: PlannedChange, actor: Actor, at: datetime) -> None:
    BillingAccount.objects.select_for_update().get(id=planned.account.id)
    if governing_agreement(planned.account.id) is not None:
        raise _changed("A paid plan has begun meanwhile.")
    if planned.is_made:
        raise nothing_to_change()
    made = put_on_terms(account_id=planned.account.id, terms=planned.local_terms(at), at=at)
    record_plan_change(former=planned.present, present=made, actor=actor, at=at)


def _quote(planned: PlannedChange, expected: Expected | None, at: datetime) -> ChangeQuote:
    """What was shown of this change. A price of long ago, or one that nobody was shown, is none."""
    shown = ChangeQuote.objects.filter(
        account=planned.account,
        plan_price=planned.price,
        seats=planned.seats,
        created_at__gt=at - VALID_FOR,
    ).exclude(state=_State.REFUSED)
    if expected is not None and expected.proration_at is not None:
        quote = shown.filter(net=expected.net, proration_at=expected.proration_at).first()
        if quote is not None:
            return quote
    if planned.is_made:
        raise nothing_to_change()
    raise _changed("What the change costs has to be shown first, and at most fifteen minutes before.")


def _change_at_stripe(planned: PlannedChange, quote: ChangeQuote, actor: Actor, at: datetime) -> None:
    with asking_stripe(doing="change the plan", outcome=MAYBE_CHARGED) as client:
        try:
            _make(client, planned, quote.id, actor=actor, at=at)
        except stripe.CardError:
            # Stripe repeats this answer for as long as it is asked under the same key.
            ChangeQuote.objects.filter(id=quote.id).update(state=_State.REFUSED)
            raise
        sync_customer(account_id=planned.account.id, at=at)


@transaction.atomic
def _make(client: stripe.StripeClient, planned: PlannedChange, quote_id: UUID, *, actor: Actor, at: datetime) -> None:
    customer = lock_customer(planned.account.id)
    quote = ChangeQuote.objects.select_for_update().get(id=quote_id)
    if quote.state == _State.MADE:
        return
    if customer is None or quote.state == _State.REFUSED:
        raise _changed("The account has changed since this was shown.")
    price_id = price_at_stripe(plan_price=planned.price, at=at).price_id
    subscription = client.v1.subscriptions.retrieve(quote.subscription_id)
    wanted = wanted_on(subscription, price=planned.price, price_id=price_id, seats=planned.seats)
    if not wanted.is_there:  # else the answer to the first try got lost
        expire_checkouts(client=client, customer=customer, at=at)
        _update(client, wanted, quote, at)
    quote.state, quote.made_at = _State.MADE, at
    quote.save(update_fields=["state", "made_at"])
    _record(planned, quote, actor, at)


def _update(client: stripe.StripeClient, wanted: Wanted, quote: ChangeQuote, at: datetime) -> None:
    """Ask for the change under the quote's own id, so that however often it is sent it is made once."""
    try:
        reckoning = reckon(client, wanted, proration_at=quote.proration_at, at=at)
    except stripe.InvalidRequestError:  # the period that it was reckoned in is over, or the subscription is
        raise _changed("The subscription has changed since this was shown.") from None
    if reckoning.net != quote.net:
        raise _changed(f"The change would cost {reckoning.net} by now, not {quote.net:.2f}.")
    params = update_params(wanted, reckoning)
    client.v1.subscriptions.update(wanted.subscription.id, params, {"idempotency_key": f"change:{quote.id.hex}"})


def _record(planned: PlannedChange, quote: ChangeQuote, actor: Actor, at: datetime) -> None:
    price = planned.price
    record_audit(
        tenant_id=planned.account.tenant_id,
        actor=actor,
        action="subscription.changed",
        target=encode_id("acc", planned.account.id),
        at=at,
        detail={
            "plan": str(price.version),
            "interval": price.interval,
            "variant": price.variant,
            "seats": quote.seats,
            "net": f"{quote.net:f}",
            "currency": price.version.currency,
        },
    )


def _changed(detail: str) -> Problem:
    return problem("account-changed", detail, remedy="Look at the new amounts and confirm again.")
