-- The events that deltas sum, with the figures of each: what the rollups by place and session are made of. Each event
-- is looked up by itself (OFFSET 0 leaves no other way), however large the table of events is and whatever the planner
-- believes of it by then.
CREATE OR REPLACE FUNCTION quaestor_events_of_deltas(deltas bigint[])
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
CREATE OR REPLACE FUNCTION quaestor_fold_deltas(taken bigint[]) RETURNS void LANGUAGE plpgsql
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
CREATE OR REPLACE FUNCTION quaestor_fold_usage(most integer) RETURNS bigint LANGUAGE plpgsql AS $$
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
