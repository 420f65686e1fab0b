-- What an append-only table answers to a change.
CREATE FUNCTION quaestor_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'pgtrigger: Cannot % rows from % table', lower(TG_OP), TG_TABLE_NAME;
END $$;

-- Add to a counter's used or reserved amount. The caller holds the lock of the account's credits ledger row.
CREATE FUNCTION quaestor_count(
    account uuid, what text, whom text, since timestamptz, add_used numeric, add_reserved numeric, admitted timestamptz
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO billing_usage_counter AS c (account_id, feature, subject, window_start, used, reserved, last_at)
    VALUES (account, what, whom, since, add_used, add_reserved, admitted)
    ON CONFLICT (account_id, feature, subject, window_start) DO UPDATE
       SET used = c.used + excluded.used,
           reserved = c.reserved + excluded.reserved,
           last_at = GREATEST(excluded.last_at, c.last_at);
$$;

-- Record events of one account: each key once, its deltas and its counters in the same statement.
-- Own-key usage is metered but counts against no limit. Answers the ids that were new and what they cost by who pays.
CREATE FUNCTION quaestor_record_usage(
    events json, OUT recorded uuid[], OUT credits_cost numeric, OUT invoice_cost numeric
) LANGUAGE sql AS $$
    WITH recorded AS (
        INSERT INTO billing_usage_usageevent (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
            credential_source, quantity, input_tokens, output_tokens, cached_input_tokens, cost, currency, funding,
            office, agent, session, end_user, outcome, occurred_at, recorded_at, period_start, reverses_id)
        SELECT e.id, e.account_id, e.tenant_id, e.workspace_id, e.idempotency_key, decode(e.body_digest, 'hex'), e.product,
               e.unit, e.provider, e.model, e.credential_source, e.quantity, e.input_tokens, e.output_tokens,
               e.cached_input_tokens, e.cost, e.currency, e.funding, e.office, e.agent, e.session, e.end_user, e.outcome,
               e.occurred_at, e.recorded_at, e.period_start, e.reverses_id
          FROM json_to_recordset(events) AS e (
                id uuid, account_id uuid, tenant_id uuid, workspace_id uuid, idempotency_key text, body_digest text,
                product text, unit text, provider text, model text, credential_source text, quantity numeric,
                input_tokens bigint, output_tokens bigint, cached_input_tokens bigint, cost numeric, currency text,
                funding text, office text, agent text, session text, end_user text, outcome text,
                occurred_at timestamptz, recorded_at timestamptz, period_start timestamptz, reverses_id uuid)
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

-- One batch of one account, each key once: record what is new and charge it. Answers only what was not new: by its place
-- in the batch, the event that the key stands for, and whether the body is the one that the key was first used with.
CREATE FUNCTION quaestor_ingest(
    batch uuid, account uuid, expected_version bigint, ledger uuid, receivable uuid, revenue uuid,
    events json, at timestamptz, swept boolean
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

    SELECT * INTO done FROM quaestor_record_usage(events);
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

    IF cardinality(done.recorded) = json_array_length(events) THEN  -- all new: no need to look anything up
        RETURN;
    END IF;
    RETURN QUERY
    SELECT 'known', e.ordinality - 1, u.id, u.body_digest = decode(e.value ->> 'body_digest', 'hex')
      FROM json_array_elements(events) WITH ORDINALITY AS e
      JOIN billing_usage_usageevent AS u
        ON u.account_id = account AND u.idempotency_key = e.value ->> 'idempotency_key'
     WHERE u.id <> (e.value ->> 'id')::uuid;
END $$;

-- A TRUNCATE of one partition would pass by the trigger of the whole table.
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'billing_usage_usageevent'::regclass
    LOOP
        EXECUTE format(
            'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION quaestor_refuse()', partition);
    END LOOP;
END $$;
