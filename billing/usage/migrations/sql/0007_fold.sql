-- Ids are random bytes: compressing them costs time and saves nothing.
ALTER TABLE billing_usage_usagedelta ALTER COLUMN event_ids SET STORAGE EXTERNAL;

-- Record events of one account: each key once, its deltas and its counters in the same statement.
-- Own-key usage is metered but counts against no limit; a try in the sandbox counts against its own allowance.
-- Answers the ids that were new and what they cost by who pays.
-- What many events have in common is sent once, in `origins`; the member `origin` of an event counts them from one. Without
-- origins each event has all columns itself. An event without its origin fails, by its missing columns.
DROP FUNCTION quaestor_record_usage(json);
CREATE FUNCTION quaestor_record_usage(
    events json, origins json DEFAULT NULL, OUT recorded uuid[], OUT credits_cost numeric, OUT invoice_cost numeric
) LANGUAGE sql AS $$
    WITH recorded AS (
        INSERT INTO billing_usage_usageevent (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
            credential_source, quantity, input_tokens, output_tokens, cached_input_tokens, cost, currency, funding,
            office, agent, session, end_user, outcome, occurred_at, recorded_at, period_start, reverses_id,
            credential_reason, credential_id, sandbox)
        SELECT e.id, o.account_id, o.tenant_id, o.workspace_id, e.idempotency_key, decode(e.body_digest, 'hex'), o.product,
               o.unit, o.provider, o.model, o.credential_source, e.quantity, e.input_tokens, e.output_tokens,
               e.cached_input_tokens, e.cost, o.currency, o.funding, o.office, o.agent, o.session, o.end_user, o.outcome,
               e.occurred_at, o.recorded_at, o.period_start, e.reverses_id, COALESCE(o.credential_reason, ''),
               o.credential_id, COALESCE(o.sandbox, false)
          FROM ROWS FROM (json_to_recordset(events) AS (
                id uuid, idempotency_key text, body_digest text, origin bigint, quantity numeric, input_tokens bigint,
                output_tokens bigint, cached_input_tokens bigint, cost numeric, occurred_at timestamptz, reverses_id uuid)
          ) WITH ORDINALITY AS e
          LEFT JOIN ROWS FROM (json_to_recordset(COALESCE(origins, events)) AS (
                account_id uuid, tenant_id uuid, workspace_id uuid, product text, unit text, provider text, model text,
                credential_source text, currency text, funding text, office text, agent text, session text, end_user text,
                outcome text, recorded_at timestamptz, period_start timestamptz, credential_reason text,
                credential_id uuid, sandbox boolean)
          ) WITH ORDINALITY AS o ON o.ordinality = COALESCE(e.origin, e.ordinality)
        ON CONFLICT (account_id, idempotency_key) DO NOTHING
        RETURNING id, account_id, workspace_id, product, unit, provider, model, credential_source, quantity, input_tokens,
                  output_tokens, cached_input_tokens, cost, funding, end_user, period_start, recorded_at, sandbox,
                  (occurred_at AT TIME ZONE 'UTC')::date AS day,
                  CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END AS requests
    ), metered AS (
        INSERT INTO billing_usage_usagedelta (
            account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source, requests,
            quantity, input_tokens, output_tokens, cached_input_tokens, cost, recorded_at, event_ids)
        SELECT account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source,
               sum(requests), sum(quantity), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cost),
               max(recorded_at), array_agg(id)
          FROM recorded GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ), counted AS (
        SELECT account_id, period_start, day, end_user,
               sum(requests) FILTER (WHERE product = 'llm' AND NOT sandbox) AS executions,
               sum(requests) FILTER (WHERE product = 'llm' AND sandbox) AS tries,
               sum(input_tokens + output_tokens) FILTER (WHERE product = 'llm') AS tokens,
               sum(cost) FILTER (WHERE product = 'llm') AS model_cost,
               sum(cost) FILTER (WHERE product = 'executions') AS overage,
               sum(cost) AS cost
          FROM recorded WHERE credential_source <> 'byok' GROUP BY 1, 2, 3, 4
    ), counters AS (
        INSERT INTO billing_usage_counter AS c (account_id, feature, subject, window_start, used, reserved)
        SELECT account_id, 'executions_per_month', '', period_start, sum(executions), 0
          FROM counted GROUP BY 1, 4 HAVING sum(executions) IS NOT NULL
        UNION ALL
        SELECT account_id, 'tokens_per_month', '', period_start, sum(tokens), 0
          FROM counted GROUP BY 1, 4 HAVING sum(tokens) IS NOT NULL
        UNION ALL
        SELECT account_id, 'overage', '', period_start, sum(overage), 0
          FROM counted GROUP BY 1, 4 HAVING sum(overage) IS NOT NULL
        UNION ALL
        SELECT account_id, 'sandbox_tries_per_day', '', day::timestamp AT TIME ZONE 'UTC', sum(tries), 0
          FROM counted GROUP BY 1, 4 HAVING sum(tries) IS NOT NULL
        UNION ALL
        SELECT account_id, 'spend_cap_per_day', '', day::timestamp AT TIME ZONE 'UTC', sum(cost), 0
          FROM counted GROUP BY 1, 4
        UNION ALL
        SELECT account_id, 'spend_cap_per_user_day', end_user, day::timestamp AT TIME ZONE 'UTC', sum(model_cost), 0
          FROM counted WHERE end_user <> '' GROUP BY 1, 3, 4 HAVING sum(model_cost) IS NOT NULL
        ON CONFLICT (account_id, feature, subject, window_start) DO UPDATE SET used = c.used + excluded.used
    )
    SELECT array_agg(id), COALESCE(sum(cost) FILTER (WHERE funding = 'credits'), 0),
           COALESCE(sum(cost) FILTER (WHERE funding = 'invoice'), 0)
      FROM recorded;
$$;

-- One batch of one account, each key once: record what is new and charge it. Answers only what was not new: by its place
-- in the batch, the event that the key stands for, and whether the body is the one that the key was first used with.
-- `size` is how many events the batch has.
DROP FUNCTION quaestor_ingest(uuid, uuid, bigint, uuid, uuid, uuid, json, timestamptz, boolean);
CREATE FUNCTION quaestor_ingest(
    batch uuid, account uuid, expected_version bigint, ledger uuid, receivable uuid, revenue uuid,
    events json, origins json, size bigint, at timestamptz, swept boolean
) RETURNS TABLE (verdict text, place bigint, event_id uuid, same_body boolean)
LANGUAGE plpgsql AS $$
DECLARE
    due timestamptz;
    done record;
    what text;
BEGIN
    SELECT l.next_expiry_at INTO due FROM billing_credits_ledgeraccount AS l WHERE l.id = ledger FOR NO KEY UPDATE;
    IF due <= at AND NOT swept THEN
        RETURN QUERY SELECT 'expiry-due', 0::bigint, NULL::uuid, false;
        RETURN;
    END IF;
    PERFORM FROM billing_subscriptions_billingaccount AS a WHERE a.id = account AND a.version = expected_version;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'stale', 0::bigint, NULL::uuid, false;
        RETURN;
    END IF;

    SELECT * INTO done FROM quaestor_record_usage(events, origins);
    what := to_char(cardinality(done.recorded), 'FM999,999')
            || CASE cardinality(done.recorded) WHEN 1 THEN ' usage event' ELSE ' usage events' END;
    IF done.credits_cost > 0 THEN
        PERFORM quaestor_capture(ledger, receivable, revenue, done.credits_cost, NULL, 0, 'batch:' || batch,
                                 what, at);
    END IF;
    IF done.invoice_cost > 0 THEN
        UPDATE billing_credits_ledgeraccount AS l SET debits_posted = l.debits_posted + done.invoice_cost
         WHERE l.id = receivable;
        INSERT INTO billing_credits_transfer
            (id, phase, reason, debit_account_id, credit_account_id, amount, idempotency_key, description, created_at)
        VALUES (gen_random_uuid(), 'posted', 'usage', receivable, revenue, done.invoice_cost, 'invoice:' || batch,
                what, at);
    END IF;

    IF cardinality(done.recorded) = size THEN  -- all new: no need to look anything up
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'known', e.ordinality - 1, u.id, u.body_digest = decode(e.value ->> 'body_digest', 'hex')
      FROM json_array_elements(events) WITH ORDINALITY AS e
      JOIN billing_usage_usageevent AS u
        ON u.account_id = account AND u.idempotency_key = e.value ->> 'idempotency_key'
     WHERE u.id <> (e.value ->> 'id')::uuid;
END $$;

-- The events that deltas sum, with the figures of each: what the rollups by place and session are made of. Each event
-- is looked up by itself (OFFSET 0 leaves no other way), however large the table of events is and whatever the planner
-- believes of it by then.
CREATE FUNCTION quaestor_events_of_deltas(deltas bigint[])
RETURNS TABLE (
    account_id uuid, period_start timestamptz, workspace_id uuid, session text, office text, agent text,
    occurred_at timestamptz, requests bigint, input_tokens bigint, output_tokens bigint, cached_input_tokens bigint,
    cost numeric, own_key_cost numeric
) LANGUAGE sql STABLE AS $$
    SELECT e.account_id, e.period_start, e.workspace_id, e.session, e.office, e.agent, e.occurred_at,
           CASE WHEN e.product <> 'llm' THEN 0 WHEN e.reverses_id IS NULL THEN 1 ELSE -1 END,
           e.input_tokens, e.output_tokens, e.cached_input_tokens, e.cost,
           CASE WHEN e.credential_source = 'byok' THEN e.cost ELSE 0 END
      FROM billing_usage_usagedelta AS d CROSS JOIN LATERAL unnest(d.event_ids) AS x (id) CROSS JOIN LATERAL (
            SELECT * FROM billing_usage_usageevent AS by_id
             WHERE by_id.account_id = d.account_id AND by_id.id = x.id OFFSET 0
           ) AS e
     WHERE d.id = ANY (deltas);
$$;

-- Add these deltas to the rollups and delete them; the caller has locked them. Planned anew each time: a plan of when the
-- tables were small would read all events for each delta.
CREATE FUNCTION quaestor_fold_deltas(taken bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    INSERT INTO billing_usage_periodrollup AS r (
        account_id, period_start, workspace_id, product, unit, provider, model, credential_source,
        requests, quantity, input_tokens, output_tokens, cached_input_tokens, cost)
    SELECT account_id, period_start, workspace_id, product, unit, provider, model, credential_source,
           sum(requests), sum(quantity), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cost)
      FROM billing_usage_usagedelta WHERE id = ANY (taken)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (account_id, period_start, workspace_id, product, unit, provider, model, credential_source) DO UPDATE
       SET requests = r.requests + excluded.requests, quantity = r.quantity + excluded.quantity,
           input_tokens = r.input_tokens + excluded.input_tokens,
           output_tokens = r.output_tokens + excluded.output_tokens,
           cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens, cost = r.cost + excluded.cost;
    INSERT INTO billing_usage_usagerollup AS r (
        account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source,
        requests, quantity, input_tokens, output_tokens, cached_input_tokens, cost)
    SELECT account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source,
           sum(requests), sum(quantity), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cost)
      FROM billing_usage_usagedelta WHERE id = ANY (taken)
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ON CONFLICT (account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source)
    DO UPDATE
       SET requests = r.requests + excluded.requests, quantity = r.quantity + excluded.quantity,
           input_tokens = r.input_tokens + excluded.input_tokens,
           output_tokens = r.output_tokens + excluded.output_tokens,
           cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens, cost = r.cost + excluded.cost;
    INSERT INTO billing_usage_placerollup AS r (
        account_id, period_start, workspace_id, office, agent,
        requests, input_tokens, output_tokens, cached_input_tokens, cost, own_key_cost)
    SELECT e.account_id, e.period_start, e.workspace_id, e.office, e.agent, sum(e.requests), sum(e.input_tokens),
           sum(e.output_tokens), sum(e.cached_input_tokens), sum(e.cost), sum(e.own_key_cost)
      FROM quaestor_events_of_deltas(taken) AS e
     GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, period_start, workspace_id, office, agent) DO UPDATE
       SET requests = r.requests + excluded.requests, input_tokens = r.input_tokens + excluded.input_tokens,
           output_tokens = r.output_tokens + excluded.output_tokens,
           cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens, cost = r.cost + excluded.cost,
           own_key_cost = r.own_key_cost + excluded.own_key_cost;
    INSERT INTO billing_usage_sessionrollup AS r (
        account_id, period_start, workspace_id, session, office, agent, first_at, last_at,
        requests, input_tokens, output_tokens, cached_input_tokens, cost, own_key_cost)
    SELECT e.account_id, e.period_start, e.workspace_id, e.session, max(e.office), max(e.agent), min(e.occurred_at),
           max(e.occurred_at), sum(e.requests), sum(e.input_tokens), sum(e.output_tokens), sum(e.cached_input_tokens),
           sum(e.cost), sum(e.own_key_cost)
      FROM quaestor_events_of_deltas(taken) AS e
     WHERE e.session <> ''
     GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (account_id, period_start, workspace_id, session) DO UPDATE
       SET office = GREATEST(r.office, excluded.office), agent = GREATEST(r.agent, excluded.agent),
           first_at = LEAST(r.first_at, excluded.first_at), last_at = GREATEST(r.last_at, excluded.last_at),
           requests = r.requests + excluded.requests, input_tokens = r.input_tokens + excluded.input_tokens,
           output_tokens = r.output_tokens + excluded.output_tokens,
           cached_input_tokens = r.cached_input_tokens + excluded.cached_input_tokens, cost = r.cost + excluded.cost,
           own_key_cost = r.own_key_cost + excluded.own_key_cost;
    INSERT INTO billing_usage_usagewatch (account_id, touched_at)
    SELECT account_id, max(recorded_at) FROM billing_usage_usagedelta WHERE id = ANY (taken) GROUP BY 1 ORDER BY 1
        ON CONFLICT (account_id) DO NOTHING;
    DELETE FROM billing_usage_usagedelta WHERE id = ANY (taken);
END $$;

-- Fold up to `most` deltas into the rollups; answers how many. Workers that fold at once take disjoint deltas, and write
-- the same tables in the same order, each in the order of its key: they wait for each other, never in a circle.
-- A rebuild of rollups holds the lock alone.
CREATE FUNCTION quaestor_fold_usage(most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    taken bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7301);
    taken := ARRAY(SELECT id FROM billing_usage_usagedelta ORDER BY id LIMIT most FOR UPDATE SKIP LOCKED);
    IF cardinality(taken) > 0 THEN
        PERFORM quaestor_fold_deltas(taken);
    END IF;
    RETURN cardinality(taken);
END $$;

-- What was recorded before these rollups existed. Deltas of then name no events, so that folding them adds nothing to the
-- rollups by place and session, which are made from all events here.
INSERT INTO billing_usage_periodrollup (
    account_id, period_start, workspace_id, product, unit, provider, model, credential_source,
    requests, quantity, input_tokens, output_tokens, cached_input_tokens, cost)
SELECT account_id, period_start, workspace_id, product, unit, provider, model, credential_source,
       sum(requests), sum(quantity), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cost)
  FROM billing_usage_usagerollup GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO billing_usage_placerollup (
    account_id, period_start, workspace_id, office, agent,
    requests, input_tokens, output_tokens, cached_input_tokens, cost, own_key_cost)
SELECT account_id, period_start, workspace_id, office, agent,
       sum(CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END), sum(input_tokens),
       sum(output_tokens), sum(cached_input_tokens), sum(cost),
       sum(CASE WHEN credential_source = 'byok' THEN cost ELSE 0 END)
  FROM billing_usage_usageevent GROUP BY 1, 2, 3, 4, 5;
INSERT INTO billing_usage_sessionrollup (
    account_id, period_start, workspace_id, session, office, agent, first_at, last_at,
    requests, input_tokens, output_tokens, cached_input_tokens, cost, own_key_cost)
SELECT account_id, period_start, workspace_id, session, max(office), max(agent), min(occurred_at), max(occurred_at),
       sum(CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END), sum(input_tokens),
       sum(output_tokens), sum(cached_input_tokens), sum(cost),
       sum(CASE WHEN credential_source = 'byok' THEN cost ELSE 0 END)
  FROM billing_usage_usageevent WHERE session <> '' GROUP BY 1, 2, 3, 4;
-- The day's spending of accounts, which nothing counted before.
INSERT INTO billing_usage_counter (account_id, feature, subject, window_start, used, reserved)
SELECT account_id, 'spend_cap_per_day', '', day::timestamp AT TIME ZONE 'UTC', sum(cost), 0
  FROM (SELECT account_id, day, cost FROM billing_usage_usagerollup
         WHERE credential_source <> 'byok' AND day >= (now() AT TIME ZONE 'UTC')::date
        UNION ALL
        SELECT account_id, day, cost FROM billing_usage_usagedelta
         WHERE credential_source <> 'byok' AND day >= (now() AT TIME ZONE 'UTC')::date) AS today
 GROUP BY 1, 4;
