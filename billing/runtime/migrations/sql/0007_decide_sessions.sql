-- A session's slot, its lease and its guard against loops (P9, M9), and executions past the limit that are paid for (P8).
-- Sessions of an account change under the lock of its credits ledger row, like its counters.

-- Every run changes its session's row: with room on the page, and without an index on what changes, in place.
ALTER TABLE billing_runtime_session SET (fillfactor = 70);

-- Whether a run may start in a session: the live one of this id or name is found and renewed later, a stopped one refuses,
-- a new one needs a free slot. `shape` is the fingerprint of the run; null where only the slot is asked for.
-- A run beyond `rate` a minute, or the same again beyond `most_repeats`, stops the session, which is written down at once.
-- `feature` is the bound that a refusal comes from; none where a person stopped the session.
CREATE FUNCTION quaestor_check_session(
    account uuid, workspace uuid, of_id uuid, of_name text, slots integer, rate integer, most_repeats integer, shape text,
    at timestamptz,
    OUT verdict text, OUT session_id uuid, OUT session_name text, OUT feature text, OUT used numeric,
    OUT retry_after integer
) LANGUAGE plpgsql AS $$
DECLARE
    s billing_runtime_session;
    by_id boolean;
    next_free timestamptz;
BEGIN
    session_name := of_name;
    IF of_id IS NOT NULL THEN
        SELECT * INTO s FROM billing_runtime_session AS x
         WHERE x.id = of_id AND x.account_id = account AND x.workspace_id = workspace;
        IF s.id IS NOT NULL THEN
            session_name := s.name;
        END IF;
    END IF;
    by_id := s.id IS NOT NULL;
    IF NOT by_id THEN
        SELECT * INTO s FROM billing_runtime_session AS x
         WHERE x.account_id = account AND x.workspace_id = workspace AND x.name = of_name AND x.ended_at IS NULL;
        IF s.id IS NULL THEN
            SELECT * INTO s FROM billing_runtime_session AS x
             WHERE x.account_id = account AND x.workspace_id = workspace AND x.name = of_name AND x.state = 'stopped'
             LIMIT 1;
        END IF;
    END IF;
    IF s.state = 'stopped' THEN
        verdict := 'session-stopped';
        session_id := s.id;
        feature := CASE s.stopped_for WHEN 'rate' THEN 'session_runs_per_minute'
                                      WHEN 'repeats' THEN 'session_repeats_limit' END;
        RETURN;
    END IF;
    IF s.id IS NOT NULL AND s.ended_at IS NULL AND s.lease_until <= at THEN
        UPDATE billing_runtime_session AS x SET state = 'expired', ended_at = s.lease_until WHERE x.id = s.id;
        s.ended_at := s.lease_until;
    END IF;
    IF by_id AND s.ended_at IS NOT NULL THEN
        verdict := 'session-ended';
        session_id := s.id;
        RETURN;
    END IF;
    IF s.id IS NULL OR s.ended_at IS NOT NULL THEN
        IF slots IS NOT NULL THEN
            SELECT count(*), min(x.lease_until) INTO used, next_free
              FROM billing_runtime_session AS x
             WHERE x.account_id = account AND x.ended_at IS NULL AND x.lease_until > at;
            IF used >= slots THEN
                verdict := 'sessions-full';
                feature := 'concurrent_sessions_limit';
                retry_after := CASE WHEN next_free IS NULL THEN 60
                                    ELSE GREATEST(1, LEAST(60, ceil(extract(epoch FROM next_free - at))))::integer END;
            END IF;
        END IF;
        RETURN;
    END IF;
    session_id := s.id;
    IF rate IS NOT NULL AND s.minute_start > at - interval '1 minute' AND s.minute_runs + 1 > rate THEN
        verdict := 'session-stopped';
        feature := 'session_runs_per_minute';
        UPDATE billing_runtime_session AS x SET state = 'stopped', ended_at = at, stopped_for = 'rate' WHERE x.id = s.id;
    ELSIF most_repeats IS NOT NULL AND s.shape = shape AND s.repeats + 1 > most_repeats THEN
        verdict := 'session-stopped';
        feature := 'session_repeats_limit';
        UPDATE billing_runtime_session AS x SET state = 'stopped', ended_at = at, stopped_for = 'repeats' WHERE x.id = s.id;
    END IF;
END $$;

-- A run has been granted in a session: renew its slot, or take one; count the run. Answers the session.
CREATE FUNCTION quaestor_keep_session(
    known uuid, new_id uuid, account uuid, tenant uuid, workspace uuid, of_name text, of_office text, of_agent text,
    of_user text, run_shape text, until timestamptz, at timestamptz
) RETURNS uuid LANGUAGE plpgsql AS $$
BEGIN
    IF known IS NULL THEN
        INSERT INTO billing_runtime_session (
            id, account_id, tenant_id, workspace_id, name, state, office, agent, end_user, started_at, heartbeat_at,
            lease_until, stopped_for, runs, open_runs, minute_start, minute_runs, shape, repeats)
        VALUES (new_id, account, tenant, workspace, of_name, 'running', of_office, of_agent, of_user, at, at, until, '',
                1, 1, at, 1, run_shape, 1);
        RETURN new_id;
    END IF;
    UPDATE billing_runtime_session AS s
       SET state = 'running', heartbeat_at = GREATEST(s.heartbeat_at, at), lease_until = GREATEST(s.lease_until, until),
           runs = s.runs + 1, open_runs = s.open_runs + 1,
           minute_runs = CASE WHEN s.minute_start > at - interval '1 minute' THEN s.minute_runs + 1 ELSE 1 END,
           minute_start = CASE WHEN s.minute_start > at - interval '1 minute' THEN s.minute_start ELSE at END,
           repeats = CASE WHEN s.shape = run_shape THEN s.repeats + 1 ELSE 1 END, shape = run_shape,
           office = CASE WHEN s.office = '' THEN of_office ELSE s.office END,
           agent = CASE WHEN s.agent = '' THEN of_agent ELSE s.agent END,
           end_user = CASE WHEN s.end_user = '' THEN of_user ELSE s.end_user END
     WHERE s.id = known;
    RETURN known;
END $$;

-- A run of a session is over. With its last open run the session's lease is an ordinary one again: since now where somebody
-- closed the run, since the last sign of life where its time ran out. What is lost or has ended is not revived: its slot may
-- be another's by now.
CREATE FUNCTION quaestor_close_run_of_session(
    of_session uuid, lease_seconds integer, is_sign_of_life boolean, at timestamptz
) RETURNS void LANGUAGE sql AS $$
    WITH seen AS (
        SELECT x.id, x.ended_at IS NULL AND x.lease_until > at AS is_live,
               CASE WHEN is_sign_of_life THEN GREATEST(x.heartbeat_at, at) ELSE x.heartbeat_at END AS last_at
          FROM billing_runtime_session AS x WHERE x.id = of_session
    )
    UPDATE billing_runtime_session AS s
       SET open_runs = s.open_runs - 1,
           heartbeat_at = CASE WHEN seen.is_live THEN seen.last_at ELSE s.heartbeat_at END,
           lease_until = CASE WHEN seen.is_live AND s.open_runs = 1
                              THEN seen.last_at + make_interval(secs => lease_seconds) ELSE s.lease_until END
      FROM seen WHERE s.id = seen.id;
$$;

-- Which meter, if any, refuses: null where all admit. A meter with a limit has `need` and `quota`; one with a soft
-- limit has `throttle_after` and `throttle_seconds` between two admissions. Where the customer pays for what is past the
-- quota, `overage_price` is what a unit costs and `overage_ceiling` the most for the period; `extra` is then to be counted
-- too, and `overage` is its price, which counts against the account's cap of the day as well: meters come in the order in
-- which a run takes them, executions before the cap. What is paid for is not slowed.
DROP FUNCTION quaestor_check_meters(uuid, jsonb, timestamptz);
CREATE FUNCTION quaestor_check_meters(
    account uuid, meters jsonb, at timestamptz,
    OUT verdict text, OUT feature text, OUT used numeric, OUT retry_after integer, OUT extra jsonb, OUT overage numeric
) LANGUAGE plpgsql AS $$
DECLARE
    m record;
    c record;
    spent numeric;
    price numeric;
BEGIN
    extra := '[]';
    overage := 0;
    FOR m IN SELECT * FROM jsonb_to_recordset(meters) AS x (
        feature text, subject text, since timestamptz, need numeric, quota numeric,
        throttle_after numeric, throttle_seconds numeric, overage_price numeric, overage_ceiling numeric)
    LOOP
        SELECT k.used + k.reserved AS taken, k.last_at INTO c
          FROM billing_usage_counter AS k
         WHERE k.account_id = account AND k.feature = m.feature AND k.subject = m.subject AND k.window_start = m.since;
        feature := m.feature;
        used := COALESCE(c.taken, 0);
        IF m.feature = 'spend_cap_per_day' AND overage > 0 THEN
            m.need := m.need + overage;
            extra := extra || jsonb_build_array(jsonb_build_object(
                'feature', m.feature, 'subject', m.subject, 'since', m.since, 'need', overage));
        END IF;
        IF used + m.need > m.quota THEN
            IF m.overage_price IS NULL THEN
                verdict := 'limit';
                RETURN;
            END IF;
            price := round(LEAST(m.need, used + m.need - m.quota) * m.overage_price, 9);
            SELECT k.used + k.reserved INTO spent
              FROM billing_usage_counter AS k
             WHERE k.account_id = account AND k.feature = 'overage' AND k.subject = '' AND k.window_start = m.since;
            IF COALESCE(spent, 0) + price > m.overage_ceiling THEN
                verdict := 'limit';
                feature := 'overage';
                used := COALESCE(spent, 0);
                RETURN;
            END IF;
            overage := overage + price;
            extra := extra || jsonb_build_array(
                jsonb_build_object('feature', 'overage', 'subject', '', 'since', m.since, 'need', price));
        ELSIF used >= m.throttle_after AND c.last_at > at - make_interval(secs => m.throttle_seconds::float8) THEN
            verdict := 'throttled';
            retry_after := GREATEST(1, ceil(m.throttle_seconds - extract(epoch FROM at - c.last_at)))::integer;
            RETURN;
        END IF;
    END LOOP;
    feature := NULL;
    used := NULL;
END $$;

-- Give back what a run has reserved, which may be of one counter twice.
CREATE OR REPLACE FUNCTION quaestor_release_meters(account uuid, meters jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE billing_usage_counter AS c
       SET reserved = c.reserved - m.need
      FROM (SELECT x.feature, x.subject, x.since, sum(x.need) AS need
              FROM jsonb_to_recordset(meters) AS x (feature text, subject text, since timestamptz, need numeric)
             GROUP BY 1, 2, 3) AS m
     WHERE c.account_id = account AND c.feature = m.feature AND c.subject = m.subject AND c.window_start = m.since;
$$;

DROP FUNCTION quaestor_authorize(jsonb, timestamptz);
CREATE FUNCTION quaestor_authorize(requests jsonb, at timestamptz)
RETURNS TABLE (
    verdict text, authorization_id uuid, feature text, used numeric, retry_after integer, overage numeric,
    session_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    found_version bigint;
    known record;
    refusal record;
    in_windows jsonb;
    in_session record;
    of_session text;
    all_meters jsonb;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    PERFORM quaestor_lock_budgets(
        ARRAY(SELECT e ->> 'provider' FROM jsonb_array_elements(requests) AS e
               WHERE e ->> 'credential_source' = 'platform'), at);
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (
        id uuid, key uuid, account uuid, version bigint, tenant uuid, workspace uuid, ledger uuid, revenue uuid,
        idempotency_key text, body_digest text, provider text, model text, credential_source text, funding text,
        rates jsonb, currency text, period_start timestamptz, input_tokens bigint, max_output_tokens bigint, hold uuid,
        held numeric, quoted numeric, credential_reason text, credential_id uuid, credential_number integer, meters jsonb,
        office text, agent text, session text, end_user text, expires_at timestamptz, swept boolean,
        named_session uuid, new_session uuid, session_slots integer, session_rate integer, session_repeats integer,
        session_shape text, session_lease integer, sandbox boolean)
    LOOP
        authorization_id := r.id;
        feature := NULL;
        used := NULL;
        retry_after := NULL;
        overage := 0;
        session_id := NULL;

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

        of_session := r.session;
        IF r.session <> '' THEN
            SELECT * INTO in_session FROM quaestor_check_session(
                r.account, r.workspace, r.named_session, r.session, r.session_slots, r.session_rate, r.session_repeats,
                r.session_shape, at);
            session_id := in_session.session_id;
            IF in_session.verdict IS NOT NULL THEN
                verdict := in_session.verdict;
                feature := in_session.feature;
                used := in_session.used;
                retry_after := in_session.retry_after;
                RETURN NEXT;
                CONTINUE;
            END IF;
            of_session := in_session.session_name;
        END IF;

        all_meters := r.meters;
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
            all_meters := r.meters || refusal.extra;
            overage := refusal.overage;
        END IF;

        in_windows := '[]';
        IF r.credential_source = 'platform' THEN
            SELECT * INTO refusal FROM quaestor_check_budgets(r.provider, r.quoted, at);
            IF refusal.verdict IS NOT NULL THEN
                verdict := refusal.verdict;
                used := refusal.used;
                retry_after := refusal.retry_after;
                RETURN NEXT;
                CONTINUE;
            END IF;
            in_windows := refusal.windows;
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
               FROM jsonb_to_recordset(all_meters) AS m (feature text, subject text, since timestamptz, need numeric);
        END IF;
        IF r.session <> '' THEN
            session_id := quaestor_keep_session(
                in_session.session_id, r.new_session, r.account, r.tenant, r.workspace, of_session, r.office, r.agent,
                r.end_user, r.session_shape, GREATEST(r.expires_at, at + make_interval(secs => r.session_lease)), at);
        END IF;
        IF in_windows <> '[]' THEN
            UPDATE billing_runtime_budgetwindow AS w SET reserved = w.reserved + r.quoted
             WHERE w.id IN (SELECT (b ->> 'window')::bigint FROM jsonb_array_elements(in_windows) AS b);
        END IF;
        INSERT INTO billing_runtime_authorization (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, state, provider, model,
            credential_source, funding, rates, currency, period_start, input_tokens, max_output_tokens, held, hold_id,
            quoted, budgets, credential_reason, credential_id, credential_number, meters, office, agent, session, end_user,
            created_at, expires_at, session_row_id, sandbox, overage)
        VALUES (
            r.id, r.account, r.tenant, r.workspace, r.idempotency_key, decode(r.body_digest, 'hex'), 'open', r.provider,
            r.model, r.credential_source, r.funding, r.rates, r.currency, r.period_start, r.input_tokens,
            r.max_output_tokens, r.held, r.hold, r.quoted, in_windows, r.credential_reason, r.credential_id,
            r.credential_number, all_meters, r.office, r.agent, of_session, r.end_user, at, r.expires_at, session_id,
            COALESCE(r.sandbox, false), quaestor_authorize.overage);
        verdict := 'granted';
        RETURN NEXT;
    END LOOP;
END $$;

-- Settle runs with their real figures: the event, its charge, the reservations and the answer in one go. A run whose hold
-- has expired or was voided meanwhile is settled all the same: it happened, and pays from what is free.
DROP FUNCTION quaestor_settle(jsonb, timestamptz);
CREATE FUNCTION quaestor_settle(requests jsonb, at timestamptz)
RETURNS TABLE (
    verdict text, authorization_id uuid, cost numeric, charged numeric, owed numeric, balance numeric, event_id uuid,
    overage numeric)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    z billing_runtime_authorization;
    money record;
    done record;
    due timestamptz;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    PERFORM quaestor_lock_reserved(ARRAY(SELECT (e ->> 'id')::uuid FROM jsonb_array_elements(requests) AS e));
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (
        id uuid, ledger uuid, receivable uuid, revenue uuid, digest text, cost numeric, event jsonb, swept boolean,
        overage_event jsonb, session_lease integer)
    LOOP
        authorization_id := r.id;
        SELECT * INTO z FROM billing_runtime_authorization AS y WHERE y.id = r.id;
        overage := z.overage;
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

        SELECT * INTO done FROM quaestor_record_usage(
            CASE WHEN z.overage > 0 THEN json_build_array(r.event, r.overage_event) ELSE json_build_array(r.event) END);
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
        IF z.overage > 0 THEN
            owed := owed + done.invoice_cost;
            UPDATE billing_credits_ledgeraccount AS l SET debits_posted = l.debits_posted + done.invoice_cost
             WHERE l.id = r.receivable;
            INSERT INTO billing_credits_transfer
                (id, phase, reason, debit_account_id, credit_account_id, amount, idempotency_key, description, created_at)
            VALUES (gen_random_uuid(), 'posted', 'usage', r.receivable, r.revenue, done.invoice_cost, 'overage:' || r.id,
                    'Execution past the limit', at);
        END IF;
        IF z.state = 'open' AND z.meters <> '[]' THEN
            PERFORM quaestor_release_meters(z.account_id, z.meters);
        END IF;
        IF z.state = 'open' AND z.session_row_id IS NOT NULL THEN
            PERFORM quaestor_close_run_of_session(z.session_row_id, COALESCE(r.session_lease, 60), true, at);
        END IF;
        IF z.budgets <> '[]' THEN
            PERFORM quaestor_close_budgets(z.budgets, z.state = 'open', r.cost);
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
CREATE OR REPLACE FUNCTION quaestor_release(requests jsonb, new_state text, at timestamptz)
RETURNS TABLE (verdict text, authorization_id uuid)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    z billing_runtime_authorization;
BEGIN
    PERFORM quaestor_lock_ledgers(ARRAY(SELECT (e ->> 'ledger')::uuid FROM jsonb_array_elements(requests) AS e));
    PERFORM quaestor_lock_reserved(ARRAY(SELECT (e ->> 'id')::uuid FROM jsonb_array_elements(requests) AS e));
    FOR r IN SELECT * FROM jsonb_to_recordset(requests) AS x (
        id uuid, ledger uuid, revenue uuid, session_lease integer)
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
            IF z.session_row_id IS NOT NULL THEN
                PERFORM quaestor_close_run_of_session(
                    z.session_row_id, COALESCE(r.session_lease, 60), new_state = 'voided', at);
            END IF;
            IF z.budgets <> '[]' THEN
                PERFORM quaestor_close_budgets(z.budgets, true, 0);
            END IF;
            UPDATE billing_runtime_authorization AS y SET state = new_state, closed_at = at WHERE y.id = r.id;
            verdict := 'released';
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
