"""Months of events, made inside the database: what reading, closing and exporting are measured on.

Events are inserted by SQL, with one delta for each account, day and model as the product's own statement leaves them,
and the product's worker folds those. Their keys begin as COPY's do, so that the ledger's check passes over them.
"""

import os

import psycopg

from bench.product import product

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
_STEP = 250  # events an account and statement: what one statement holds in memory
_INSERT = """
    WITH events AS (
        INSERT INTO billing_usage_usageevent (
            id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
            credential_source, credential_reason, quantity, input_tokens, output_tokens, cached_input_tokens, cost,
            currency, funding, office, agent, session, end_user, outcome, sandbox, occurred_at, recorded_at,
            period_start)
        SELECT uuidv7(), a.account_id, a.tenant_id, a.workspace_id, 'copy-' || gen_random_uuid(), '\\x00'::bytea, 'llm',
               'token', 'openai', (ARRAY['gpt-4o-mini', 'gpt-4o', 'gpt-4.1-mini'])[1 + n %% 3], 'platform', '',
               1100 + n, 900 + n, 200, 0, 0.000255 + n * 0.00000015, 'USD', 'credits', '', 'agent-' || n %% 7,
               's-' || n %% 50, '', '', false, a.period_start + n %% 28 * interval '1 day', now(), a.period_start
          FROM (
                SELECT w.account_id, w.tenant_id, w.workspace_id,
                       date_trunc('day', b.signed_up_at) + %(months)s * interval '1 month' AS period_start
                  FROM billing_subscriptions_workspacebilling AS w
                  JOIN billing_subscriptions_billingaccount AS b ON b.id = w.account_id
                 ORDER BY w.account_id LIMIT %(accounts)s
               ) AS a, generate_series(%(first)s::integer, %(last)s::integer) AS n
        RETURNING *
    )
    INSERT INTO billing_usage_usagedelta (
        account_id, period_start, day, workspace_id, product, unit, provider, model, credential_source, requests,
        quantity, input_tokens, output_tokens, cached_input_tokens, cost, recorded_at, event_ids)
    SELECT account_id, period_start, (occurred_at AT TIME ZONE 'UTC')::date, workspace_id, product, unit, provider,
           model, credential_source, count(*), sum(quantity), sum(input_tokens), sum(output_tokens),
           sum(cached_input_tokens), sum(cost), max(recorded_at), array_agg(id)
      FROM events GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""


def add_history(url: str, *, accounts: int, each: int, months: int = 0) -> None:
    """So many more events for each of the first accounts, in the period that they signed up in or so many months after
    it, with rollups up to date.
    """
    step = max(_STEP, _STEP * 1000 // accounts)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for first in range(0, each, step):
            last = min(first + step, each) - 1
            connection.execute(_INSERT, {"accounts": accounts, "first": first, "last": last, "months": months})
        product(url, "fold")
        connection.execute("VACUUM ANALYZE")
