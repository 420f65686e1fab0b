"""Triggers that state in `SubscriptionChange` what subscriptions and agreements mean: changes by hand count too."""

import pgtrigger

_WRITE = """
    INSERT INTO billing_subscriptions_subscriptionchange
           (account_id, change, plan_version_id, previous_version_id, seats, ends_at, at)
"""
# That a payment is overdue, has arrived or never will is told of the agreement; here are plans alone.
_SUBSCRIPTION = f"""
    SELECT s.* INTO former FROM billing_subscriptions_subscription AS s
     WHERE s.account_id = NEW.account_id AND s.id <> NEW.id ORDER BY s.starts_at DESC LIMIT 1;
    IF former.id IS NULL THEN
        word := 'started';
    ELSIF NEW.agreement_id IS NOT NULL AND former.agreement_id IS NULL THEN
        IF EXISTS (SELECT FROM billing_subscriptions_subscription AS s
                    WHERE s.agreement_id = NEW.agreement_id AND s.id <> NEW.id) THEN
            RETURN NULL;
        END IF;
        word := 'started';
    ELSIF NEW.agreement_id IS NULL AND former.agreement_id IS NOT NULL THEN
        SELECT a.status INTO status FROM billing_subscriptions_agreement AS a WHERE a.id = former.agreement_id;
        IF status = 'canceled' THEN
            RETURN NULL;
        END IF;
        word := CASE WHEN status IN ('past_due', 'unpaid') THEN 'downgraded' ELSE 'changed' END;
    ELSIF (NEW.plan_version_id, NEW.interval, NEW.variant, NEW.seats)
          = (former.plan_version_id, former.interval, former.variant, former.seats) THEN
        RETURN NULL;
    ELSE
        word := 'changed';
    END IF;
    {_WRITE}
    VALUES (NEW.account_id, word, NEW.plan_version_id, former.plan_version_id, NEW.seats, NULL, NEW.starts_at);
    RETURN NULL;
"""
_AGREEMENT = f"""
    IF NOT (OLD.governs OR NEW.governs) THEN
        RETURN NULL;
    END IF;
    IF NEW.status = 'canceled' AND OLD.status <> 'canceled' THEN
        {_WRITE}
        VALUES (NEW.account_id, 'ended', NULL, OLD.plan_version_id, NEW.seats, NULL, NEW.synced_at);
        RETURN NULL;
    END IF;
    IF NEW.status = 'past_due' AND OLD.status <> 'past_due' THEN
        {_WRITE}
        VALUES (NEW.account_id, 'past_due', NEW.plan_version_id, NULL, NEW.seats, NULL, NEW.synced_at);
    ELSIF NEW.status IN ('active', 'trialing') AND OLD.status IN ('past_due', 'unpaid') THEN
        {_WRITE}
        VALUES (NEW.account_id, 'restored', NEW.plan_version_id, NULL, NEW.seats, NULL, NEW.synced_at);
    END IF;
    IF NEW.cancel_at IS NOT NULL AND NEW.cancel_at IS DISTINCT FROM OLD.cancel_at THEN
        {_WRITE}
        VALUES (NEW.account_id, 'cancel_planned', NEW.plan_version_id, NULL, NEW.seats, NEW.cancel_at, NEW.synced_at);
    ELSIF NEW.cancel_at IS NULL AND OLD.cancel_at IS NOT NULL AND NEW.status <> 'canceled' THEN
        {_WRITE}
        VALUES (NEW.account_id, 'resumed', NEW.plan_version_id, NULL, NEW.seats, NULL, NEW.synced_at);
    END IF;
    RETURN NULL;
"""
OF_SUBSCRIPTION = pgtrigger.Trigger(
    name="change_told",
    when=pgtrigger.After,
    operation=pgtrigger.Insert,
    declare=[("former", "billing_subscriptions_subscription"), ("word", "text"), ("status", "text")],
    func=_SUBSCRIPTION,
)
"""States what a new subscription means for the account."""
OF_AGREEMENT = pgtrigger.Trigger(
    name="change_told",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("status", "cancel_at"),
    func=_AGREEMENT,
)
"""States what has become of the agreement that an account's plan follows."""
