-- Record events of one account: each key once, its deltas and its counters in the same statement.
-- Own-key usage is metered but counts against no limit; a try in the sandbox counts against its own allowance.
-- Answers the ids that were new and what they cost by who pays.
-- What many events have in common is sent once, in `origins`; the member `origin` of an event counts them from one. Without
-- origins each event has all columns itself. An event without its origin fails, by its missing columns.
-- Callers hold the account's ledger lock, under which documents are issued too: `after_document` says which came before.
CREATE OR REPLACE FUNCTION quaestor_record_usage(
    events json, origins json DEFAULT NULL, OUT recorded uuid[], OUT credits_cost numeric, OUT invoice_cost numeric
) LANGUAGE sql AS $$
    WITH recorded AS (
        INSERT INTO billing_usage_usageevent (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
            credential_source, quantity, input_tokens, output_tokens, cached_input_tokens, cost, currency, funding,
            office, agent, session, end_user, outcome, occurred_at, recorded_at, period_start, reverses_id,
            credential_reason, credential_id, sandbox, after_document)
        SELECT e.id, o.account_id, o.tenant_id, o.workspace_id, e.idempotency_key, decode(e.body_digest, 'hex'), o.product,
               o.unit, o.provider, o.model, o.credential_source, e.quantity, e.input_tokens, e.output_tokens,
               e.cached_input_tokens, e.cost, o.currency, o.funding, o.office, o.agent, o.session, o.end_user, o.outcome,
               e.occurred_at, o.recorded_at, o.period_start, e.reverses_id, COALESCE(o.credential_reason, ''),
               o.credential_id, COALESCE(o.sandbox, false),
               COALESCE((SELECT m.position FROM billing_usage_documentmark AS m
                          WHERE m.account_id = (COALESCE(origins, events) -> 0 ->> 'account_id')::uuid), 0)
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
