-- Record events of one account: each key once, its deltas and its counters in the same statement.
-- Own-key usage is metered but counts against no limit. Answers the ids that were new and what they cost by who pays.
CREATE OR REPLACE FUNCTION quaestor_record_usage(
    events json, OUT recorded uuid[], OUT credits_cost numeric, OUT invoice_cost numeric
) LANGUAGE sql AS $$
    WITH recorded AS (
        INSERT INTO billing_usage_usageevent (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
            credential_source, quantity, input_tokens, output_tokens, cached_input_tokens, cost, currency, funding,
            office, agent, session, end_user, outcome, occurred_at, recorded_at, period_start, reverses_id,
            credential_reason, credential_id)
        SELECT e.id, e.account_id, e.tenant_id, e.workspace_id, e.idempotency_key, decode(e.body_digest, 'hex'), e.product,
               e.unit, e.provider, e.model, e.credential_source, e.quantity, e.input_tokens, e.output_tokens,
               e.cached_input_tokens, e.cost, e.currency, e.funding, e.office, e.agent, e.session, e.end_user, e.outcome,
               e.occurred_at, e.recorded_at, e.period_start, e.reverses_id, COALESCE(e.credential_reason, ''),
               e.credential_id
          FROM json_to_recordset(events) AS e (
                id uuid, account_id uuid, tenant_id uuid, workspace_id uuid, idempotency_key text, body_digest text,
                product text, unit text, provider text, model text, credential_source text, quantity numeric,
                input_tokens bigint, output_tokens bigint, cached_input_tokens bigint, cost numeric, currency text,
                funding text, office text, agent text, session text, end_user text, outcome text,
                occurred_at timestamptz, recorded_at timestamptz, period_start timestamptz, reverses_id uuid,
                credential_reason text, credential_id uuid)
        ON CONFLICT (account_id, idempotency_key) DO NOTHING
        RETURNING id, account_id, workspace_id, product, unit, provider, model, credential_source, quantity, input_tokens,
                  output_tokens, cached_input_tokens, cost, funding, end_user, period_start, recorded_at,
                  (occurred_at AT TIME ZONE 'UTC')::date AS day,
                  CASE WHEN product <> 'llm' THEN 0 WHEN reverses_id IS NULL THEN 1 ELSE -1 END AS requests
    ), metered AS (
        INSERT INTO billing_usage_usagedelta (
            account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source, requests,
            quantity, input_tokens, output_tokens, cached_input_tokens, cost, recorded_at)
        SELECT account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source,
               sum(requests), sum(quantity), sum(input_tokens), sum(output_tokens), sum(cached_input_tokens), sum(cost),
               max(recorded_at)
          FROM recorded GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ), counted AS (
        SELECT account_id, period_start, day, end_user, sum(requests) AS requests,
               sum(input_tokens + output_tokens) AS tokens, sum(cost) AS cost
          FROM recorded WHERE product = 'llm' AND credential_source <> 'byok' GROUP BY 1, 2, 3, 4
    ), counters AS (
        INSERT INTO billing_usage_counter AS c (account_id, feature, subject, window_start, used, reserved)
        SELECT account_id, 'executions_per_month', '', period_start, sum(requests), 0 FROM counted GROUP BY 1, 4
        UNION ALL
        SELECT account_id, 'tokens_per_month', '', period_start, sum(tokens), 0 FROM counted GROUP BY 1, 4
        UNION ALL
        SELECT account_id, 'spend_cap_per_user_day', end_user, day::timestamp AT TIME ZONE 'UTC', sum(cost), 0
          FROM counted WHERE end_user <> '' GROUP BY 1, 3, 4
        ON CONFLICT (account_id, feature, subject, window_start) DO UPDATE SET used = c.used + excluded.used
    )
    SELECT array_agg(id), COALESCE(sum(cost) FILTER (WHERE funding = 'credits'), 0),
           COALESCE(sum(cost) FILTER (WHERE funding = 'invoice'), 0)
      FROM recorded;
$$;
