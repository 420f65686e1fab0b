-- What every movement of a customer's money is made of. Each function expects that its caller holds the row lock of the
-- customer's credits account; a receivable account is only ever touched under that lock, so that two locks of one
-- customer are always taken in the same order.

-- Reserve an amount of prepaid credits: one guarded change of the total, one pending transfer.
-- Answers granted, insufficient-credits, or expiry-due where grants have to be expired first (unless `swept`).
CREATE FUNCTION quaestor_hold(
    transfer uuid, ledger uuid, revenue uuid, amount numeric, expires timestamptz, at timestamptz, swept boolean
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_credits_ledgeraccount AS l
       SET debits_pending = l.debits_pending + amount
     WHERE l.id = ledger
       AND l.credits_posted - l.debits_posted - l.debits_pending >= amount
       AND (swept OR l.next_expiry_at IS NULL OR l.next_expiry_at > at);
    IF NOT FOUND THEN
        RETURN CASE
            WHEN NOT swept AND EXISTS (
                SELECT FROM billing_credits_ledgeraccount AS l WHERE l.id = ledger AND l.next_expiry_at <= at
            ) THEN 'expiry-due'
            ELSE 'insufficient-credits'
        END;
    END IF;
    INSERT INTO billing_credits_transfer
        (id, phase, reason, debit_account_id, credit_account_id, amount, expires_at, idempotency_key, description, created_at)
    VALUES (transfer, 'pending', 'usage', ledger, revenue, amount, expires, 'hold:' || transfer, '', at);
    RETURN 'granted';
END $$;

-- Give a hold back in full.
CREATE FUNCTION quaestor_void(hold uuid, ledger uuid, revenue uuid, held numeric, at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing_credits_ledgeraccount AS l SET debits_pending = l.debits_pending - held WHERE l.id = ledger;
    INSERT INTO billing_credits_transfer
        (id, phase, reason, debit_account_id, credit_account_id, amount, pending_id, idempotency_key, description, created_at)
    VALUES (gen_random_uuid(), 'void_pending', 'usage', ledger, revenue, held, hold, 'void:' || hold, '', at);
END $$;

-- Charge a cost: from the hold (null: none), then from free credits; what they lack is owed and goes on the next invoice.
CREATE FUNCTION quaestor_capture(
    ledger uuid, receivable uuid, revenue uuid, cost numeric, hold uuid, held numeric, key text, what text, at timestamptz,
    OUT charged numeric, OUT owed numeric, OUT balance numeric
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT LEAST(cost, l.credits_posted - l.debits_posted - l.debits_pending + held) INTO charged
      FROM billing_credits_ledgeraccount AS l WHERE l.id = ledger;
    owed := cost - charged;

    UPDATE billing_credits_ledgeraccount AS l
       SET debits_pending = l.debits_pending - held, debits_posted = l.debits_posted + charged
     WHERE l.id = ledger
    RETURNING l.credits_posted - l.debits_posted INTO balance;

    IF hold IS NOT NULL OR charged > 0 THEN
        INSERT INTO billing_credits_transfer
            (id, phase, reason, debit_account_id, credit_account_id, amount, pending_id, idempotency_key, description, created_at)
        VALUES (
            gen_random_uuid(),
            CASE WHEN hold IS NULL THEN 'posted' WHEN charged > 0 THEN 'post_pending' ELSE 'void_pending' END,
            'usage', ledger, revenue, CASE WHEN charged > 0 THEN charged ELSE held END, hold, 'usage:' || key, what, at
        );
    END IF;
    IF owed > 0 THEN
        UPDATE billing_credits_ledgeraccount AS l SET debits_posted = l.debits_posted + owed WHERE l.id = receivable;
        INSERT INTO billing_credits_transfer
            (id, phase, reason, debit_account_id, credit_account_id, amount, idempotency_key, description, created_at)
        VALUES (gen_random_uuid(), 'posted', 'usage', receivable, revenue, owed, 'owed:' || key, what, at);
    END IF;
END $$;
