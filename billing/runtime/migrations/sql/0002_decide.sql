-- The decisions of a run. Each function takes an array of requests, locks the accounts that they name in id order,
-- decides one request after the other, and answers each with its own verdict: requests that arrive together can share
-- one statement and one commit.

CREATE FUNCTION quaestor_lock_ledgers(ledgers uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_credits_ledgeraccount AS l WHERE l.id = ANY (ledgers) ORDER BY l.id FOR NO KEY UPDATE;
END $$;

-- Which meter, if any, refuses: null where all admit. A meter with a limit has `need` and `quota`; one with a soft
-- limit has `throttle_after` and `throttle_seconds` between two admissions.
CREATE FUNCTION quaestor_check_meters(
    account uuid, meters jsonb, at timestamptz,
    OUT verdict text, OUT feature text, OUT used numeric, OUT retry_after integer
) LANGUAGE plpgsql AS $$
DECLARE
    m record;
    c record;
BEGIN
    FOR m IN SELECT * FROM jsonb_to_recordset(meters) AS x (
        feature text, subject text, since timestamptz, need numeric, quota numeric,
        throttle_after numeric, throttle_seconds numeric)
    LOOP
        SELECT k.used + k.reserved AS taken, k.last_at INTO c
          FROM billing_usage_counter AS k
         WHERE k.account_id = account AND k.feature = m.feature AND k.subject = m.subject AND k.window_start = m.since;
        feature := m.feature;
        used := COALESCE(c.taken, 0);
        IF used + m.need > m.quota THEN
            verdict := 'limit';
            RETURN;
        END IF;
        IF used >= m.throttle_after AND c.last_at > at - make_interval(secs => m.throttle_seconds::float8) THEN
            verdict := 'throttled';
            retry_after := GREATEST(1, ceil(m.throttle_seconds - extract(epoch FROM at - c.last_at)))::integer;
            RETURN;
        END IF;
    END LOOP;
    feature := NULL;
    used := NULL;
END $$;

CREATE FUNCTION quaestor_authorize(requests jsonb, at timestamptz)
RETURNS TABLE (verdict text, authorization_id uuid, feature text, used numeric, retry_after integer)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    found_version bigint;
    known record;
    refusal record;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (
        id uuid, key uuid, account uuid, version bigint, tenant uuid, workspace uuid, ledger uuid, revenue uuid,
        idempotency_key text, body_digest text, provider text, model text, credential_source text, funding text,
        rates jsonb, currency text, period_start timestamptz, input_tokens bigint, max_output_tokens bigint, hold uuid,
        held numeric, meters jsonb, office text, agent text, session text, end_user text, expires_at timestamptz,
        swept boolean)
    LOOP
        authorization_id := r.id;
        feature := NULL;
        used := NULL;
        retry_after := NULL;

        SELECT z.id, z.body_digest = decode(r.body_digest, 'hex') AS same INTO known
          FROM billing_runtime_authorization AS z
         WHERE z.account_id = r.account AND z.idempotency_key = r.idempotency_key;
        IF FOUND THEN
            authorization_id := known.id;
            verdict := CASE WHEN known.same THEN 'replayed' ELSE 'conflict' END;
            RETURN NEXT;
            CONTINUE;
        END IF;

        SELECT a.version INTO found_version FROM billing_subscriptions_billingaccount AS a WHERE a.id = r.account;
        IF found_version IS DISTINCT FROM r.version THEN
            verdict := 'stale';
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF r.key IS NOT NULL
           AND NOT EXISTS (SELECT FROM tenants_apikey AS k WHERE k.id = r.key AND k.revoked_at IS NULL) THEN
            verdict := 'revoked';
            RETURN NEXT;
            CONTINUE;
        END IF;

        IF r.meters <> '[]' THEN
            SELECT * INTO refusal FROM quaestor_check_meters(r.account, r.meters, at);
            IF refusal.verdict IS NOT NULL THEN
                verdict := refusal.verdict;
                feature := refusal.feature;
                used := refusal.used;
                retry_after := refusal.retry_after;
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;

        IF r.hold IS NOT NULL THEN
            verdict := quaestor_hold(r.hold, r.ledger, r.revenue, r.held, r.expires_at, at, r.swept);
            IF verdict <> 'granted' THEN
                SELECT l.credits_posted - l.debits_posted - l.debits_pending INTO used
                  FROM billing_credits_ledgeraccount AS l WHERE l.id = r.ledger;
                RETURN NEXT;
                CONTINUE;
            END IF;
        END IF;
        IF r.meters <> '[]' THEN
            PERFORM quaestor_count(r.account, m.feature, m.subject, m.since, 0, m.need, at)
               FROM jsonb_to_recordset(r.meters) AS m (feature text, subject text, since timestamptz, need numeric);
        END IF;
        INSERT INTO billing_runtime_authorization (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, state, provider, model,
            credential_source, funding, rates, currency, period_start, input_tokens, max_output_tokens, held, hold_id,
            meters, office, agent, session, end_user, created_at, expires_at)
        VALUES (
            r.id, r.account, r.tenant, r.workspace, r.idempotency_key, decode(r.body_digest, 'hex'), 'open', r.provider,
            r.model, r.credential_source, r.funding, r.rates, r.currency, r.period_start, r.input_tokens,
            r.max_output_tokens, r.held, r.hold, r.meters, r.office, r.agent, r.session, r.end_user, at, r.expires_at);
        verdict := 'granted';
        RETURN NEXT;
    END LOOP;
END $$;

-- Give back what an authorization has reserved on its meters.
CREATE FUNCTION quaestor_release_meters(account uuid, meters jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE billing_usage_counter AS c
       SET reserved = c.reserved - m.need
      FROM jsonb_to_recordset(meters) AS m (feature text, subject text, since timestamptz, need numeric)
     WHERE c.account_id = account AND c.feature = m.feature AND c.subject = m.subject AND c.window_start = m.since;
$$;

-- Settle runs with their real figures: the event, its charge, the reservations and the answer in one go. A run whose hold
-- has expired or was voided meanwhile is settled all the same: it happened, and pays from what is free.
CREATE FUNCTION quaestor_settle(requests jsonb, at timestamptz)
RETURNS TABLE (
    verdict text, authorization_id uuid, cost numeric, charged numeric, owed numeric, balance numeric, event_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    z billing_runtime_authorization;
    money record;
    due timestamptz;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (
        id uuid, ledger uuid, receivable uuid, revenue uuid, digest text, cost numeric, event jsonb, swept boolean)
    LOOP
        authorization_id := r.id;
        SELECT * INTO z FROM billing_runtime_authorization AS y WHERE y.id = r.id;
        IF z.state = 'settled' THEN
            verdict := CASE WHEN z.settlement_digest = decode(r.digest, 'hex') THEN 'replayed' ELSE 'conflict' END;
            cost := z.cost;
            charged := z.charged;
            owed := z.owed;
            balance := z.balance_after;
            event_id := z.event_id;
            RETURN NEXT;
            CONTINUE;
        END IF;
        SELECT l.next_expiry_at, l.credits_posted - l.debits_posted INTO due, balance
          FROM billing_credits_ledgeraccount AS l WHERE l.id = r.ledger;
        IF due <= at AND NOT r.swept THEN
            verdict := 'expiry-due';
            RETURN NEXT;
            CONTINUE;
        END IF;

        PERFORM quaestor_record_usage(json_build_array(r.event));
        cost := r.cost;
        charged := 0;
        owed := 0;
        event_id := (r.event ->> 'id')::uuid;
        IF z.funding = 'credits' AND (cost > 0 OR z.hold_id IS NOT NULL) THEN
            SELECT * INTO money FROM quaestor_capture(
                r.ledger, r.receivable, r.revenue, cost,
                CASE WHEN z.state = 'open' THEN z.hold_id END,
                CASE WHEN z.state = 'open' THEN z.held ELSE 0 END,
                r.id::text, z.provider || '/' || z.model, at);
            charged := money.charged;
            owed := money.owed;
            balance := money.balance;
        END IF;
        IF z.state = 'open' AND z.meters <> '[]' THEN
            PERFORM quaestor_release_meters(z.account_id, z.meters);
        END IF;
        UPDATE billing_runtime_authorization AS y
           SET state = 'settled', closed_at = at, settlement_digest = decode(r.digest, 'hex'), cost = r.cost,
               charged = quaestor_settle.charged, owed = quaestor_settle.owed, balance_after = quaestor_settle.balance,
               event_id = quaestor_settle.event_id
         WHERE y.id = r.id;
        verdict := 'settled';
        RETURN NEXT;
    END LOOP;
END $$;

-- Close open authorizations without usage: voided by the caller, or expired by the clock.
CREATE FUNCTION quaestor_release(requests jsonb, new_state text, at timestamptz)
RETURNS TABLE (verdict text, authorization_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    z billing_runtime_authorization;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (id uuid, ledger uuid, revenue uuid)
    LOOP
        authorization_id := r.id;
        SELECT * INTO z FROM billing_runtime_authorization AS y WHERE y.id = r.id;
        verdict := z.state;
        IF z.state = 'open' THEN
            IF z.hold_id IS NOT NULL THEN
                PERFORM quaestor_void(z.hold_id, r.ledger, r.revenue, z.held, at);
            END IF;
            IF z.meters <> '[]' THEN
                PERFORM quaestor_release_meters(z.account_id, z.meters);
            END IF;
            UPDATE billing_runtime_authorization AS y SET state = new_state, closed_at = at WHERE y.id = r.id;
            verdict := 'released';
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
