-- What the platform spends at a provider on its own keys is capped by budgets (K12). Their windows are rows that every
-- run on the provider's platform key shares; they are locked in id order, after the ledger accounts. Where a provider has
-- no budget, nothing is shared.
CREATE FUNCTION quaestor_budget_window(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT date_trunc(period, at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
$$;

CREATE FUNCTION quaestor_lock_budgets(providers text[], at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM billing_runtime_providerbudget AS b WHERE b.provider = ANY (providers)) THEN
        RETURN;
    END IF;
    INSERT INTO billing_runtime_budgetwindow (budget_id, window_start, spent, reserved)
    SELECT b.id, quaestor_budget_window(b.period, at), 0, 0
      FROM billing_runtime_providerbudget AS b WHERE b.provider = ANY (providers) ORDER BY b.id
        ON CONFLICT (budget_id, window_start) DO NOTHING;
    PERFORM FROM billing_runtime_budgetwindow AS w
      JOIN billing_runtime_providerbudget AS b ON b.id = w.budget_id
     WHERE b.provider = ANY (providers) AND w.window_start = quaestor_budget_window(b.period, at)
     ORDER BY w.id FOR NO KEY UPDATE OF w;
END $$;

-- Whether the provider's budgets admit a run; then the windows to reserve in, with the amount.
CREATE FUNCTION quaestor_check_budgets(
    of_provider text, need numeric, at timestamptz,
    OUT verdict text, OUT used numeric, OUT retry_after integer, OUT windows jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    w record;
BEGIN
    windows := '[]';
    FOR w IN SELECT k.id, k.spent + k.reserved AS taken, b.amount,
                    (k.window_start AT TIME ZONE 'UTC' + ('1 ' || b.period)::interval) AT TIME ZONE 'UTC' AS ends
               FROM billing_runtime_providerbudget AS b
               JOIN billing_runtime_budgetwindow AS k
                 ON k.budget_id = b.id AND k.window_start = quaestor_budget_window(b.period, at)
              WHERE b.provider = of_provider ORDER BY k.id
    LOOP
        IF w.taken + need > w.amount THEN
            verdict := 'budget';
            used := w.taken;
            retry_after := ceil(extract(epoch FROM w.ends - at))::integer;
            RETURN;
        END IF;
        windows := windows || jsonb_build_array(jsonb_build_object('window', w.id, 'need', need));
    END LOOP;
END $$;

-- Lock the windows in which authorizations reserved, in id order.
CREATE FUNCTION quaestor_lock_reserved(authorizations uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM billing_runtime_budgetwindow AS w
     WHERE w.id IN (SELECT (b ->> 'window')::bigint
                      FROM billing_runtime_authorization AS z, jsonb_array_elements(z.budgets) AS b
                     WHERE z.id = ANY (authorizations) AND z.budgets <> '[]')
     ORDER BY w.id FOR NO KEY UPDATE;
END $$;

-- A run is over: its windows get back what it reserved, if it still did, and carry what it cost.
CREATE FUNCTION quaestor_close_budgets(budgets jsonb, was_open boolean, cost numeric) RETURNS void LANGUAGE sql AS $$
    UPDATE billing_runtime_budgetwindow AS w
       SET reserved = w.reserved - CASE WHEN was_open THEN (b ->> 'need')::numeric ELSE 0 END, spent = w.spent + cost
      FROM jsonb_array_elements(budgets) AS b
     WHERE w.id = (b ->> 'window')::bigint;
$$;

CREATE OR REPLACE FUNCTION quaestor_authorize(requests jsonb, at timestamptz)
RETURNS TABLE (verdict text, authorization_id uuid, feature text, used numeric, retry_after integer)
LANGUAGE plpgsql AS $$
DECLARE
    r record;
    found_version bigint;
    known record;
    refusal record;
    in_windows jsonb;
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
        office text, agent text, session text, end_user text, expires_at timestamptz, swept boolean)
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
               FROM jsonb_to_recordset(r.meters) AS m (feature text, subject text, since timestamptz, need numeric);
        END IF;
        IF in_windows <> '[]' THEN
            UPDATE billing_runtime_budgetwindow AS w SET reserved = w.reserved + r.quoted
             WHERE w.id IN (SELECT (b ->> 'window')::bigint FROM jsonb_array_elements(in_windows) AS b);
        END IF;
        INSERT INTO billing_runtime_authorization (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, state, provider, model,
            credential_source, funding, rates, currency, period_start, input_tokens, max_output_tokens, held, hold_id,
            quoted, budgets, credential_reason, credential_id, credential_number, meters, office, agent, session, end_user,
            created_at, expires_at)
        VALUES (
            r.id, r.account, r.tenant, r.workspace, r.idempotency_key, decode(r.body_digest, 'hex'), 'open', r.provider,
            r.model, r.credential_source, r.funding, r.rates, r.currency, r.period_start, r.input_tokens,
            r.max_output_tokens, r.held, r.hold, r.quoted, in_windows, r.credential_reason, r.credential_id,
            r.credential_number, r.meters, r.office, r.agent, r.session, r.end_user, at, r.expires_at);
        verdict := 'granted';
        RETURN NEXT;
    END LOOP;
END $$;

-- Settle runs with their real figures: the event, its charge, the reservations and the answer in one go. A run whose hold
-- has expired or was voided meanwhile is settled all the same: it happened, and pays from what is free.
CREATE OR REPLACE FUNCTION quaestor_settle(requests jsonb, at timestamptz)
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
    PERFORM quaestor_lock_reserved(ARRAY(SELECT (e ->> 'id')::uuid FROM jsonb_array_elements(requests) AS e));
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
            IF z.budgets <> '[]' THEN
                PERFORM quaestor_close_budgets(z.budgets, true, 0);
            END IF;
            UPDATE billing_runtime_authorization AS y SET state = new_state, closed_at = at WHERE y.id = r.id;
            verdict := 'released';
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
