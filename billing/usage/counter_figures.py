"""How each quota counter is made of events: what a rebuild writes, and what a check compares with.

Own-key usage counts against nothing (U7), and a try in the sandbox against its own allowance. Reservations are not
looked at: they belong to open authorizations.
"""

# Counters of a period, or all of an account where `start` is NULL. A period has at most 31 days, and what happened on
# them lies in it or in one next to it.
_DAYS = """(%(start)s::timestamptz IS NULL OR
            (occurred_at >= date_trunc('day', %(start)s::timestamptz, 'UTC')
             AND occurred_at < date_trunc('day', %(start)s::timestamptz, 'UTC') + interval '32 days'))"""
_COUNTED = f"""
    SELECT period_start, date_trunc('day', occurred_at, 'UTC') AS day, end_user, product, sandbox, cost,
           input_tokens + output_tokens AS tokens, CASE WHEN reverses_id IS NULL THEN 1 ELSE -1 END AS runs,
           (%(start)s::timestamptz IS NULL OR period_start = %(start)s::timestamptz) AS in_period, {_DAYS} AS in_days
      FROM billing_usage_usageevent
     WHERE account_id = %(account)s AND credential_source <> 'byok'
"""
_DUE = f"""
    WITH counted AS ({_COUNTED})
    SELECT 'executions_per_month' AS feature, '' AS subject, period_start AS window_start, sum(runs) AS used
      FROM counted WHERE in_period AND product = 'llm' AND NOT sandbox GROUP BY 3
    UNION ALL
    SELECT 'tokens_per_month', '', period_start, sum(tokens)
      FROM counted WHERE in_period AND product = 'llm' GROUP BY 3
    UNION ALL
    SELECT 'overage', '', period_start, sum(cost) FROM counted WHERE in_period AND product = 'executions' GROUP BY 3
    UNION ALL
    SELECT 'sandbox_tries_per_day', '', day, sum(runs)
      FROM counted WHERE in_days AND product = 'llm' AND sandbox GROUP BY 3
    UNION ALL
    SELECT 'spend_cap_per_day', '', day, sum(cost) FROM counted WHERE in_days GROUP BY 3
    UNION ALL
    SELECT 'spend_cap_per_user_day', end_user, day, sum(cost)
      FROM counted WHERE in_days AND product = 'llm' AND end_user <> '' GROUP BY 2, 3
"""
_HELD = f"""
    SELECT feature, subject, window_start, used FROM billing_usage_counter
     WHERE account_id = %(account)s AND (
           feature IN ('executions_per_month', 'tokens_per_month', 'overage')
           AND (%(start)s::timestamptz IS NULL OR window_start = %(start)s::timestamptz)
        OR feature IN ('sandbox_tries_per_day', 'spend_cap_per_day', 'spend_cap_per_user_day')
           AND {_DAYS.replace("occurred_at", "window_start")})
"""
_DIFFERENT = f"""
    SELECT feature, subject, window_start, COALESCE(was.used, 0) AS was, COALESCE(due.used, 0) AS due
      FROM ({_HELD}) AS was FULL JOIN ({_DUE}) AS due USING (feature, subject, window_start)
     WHERE COALESCE(was.used, 0) <> COALESCE(due.used, 0)
"""
COUNTER_COMPARISON = f"""
    SELECT feature, subject, window_start, trim_scale(was), trim_scale(due)
      FROM ({_DIFFERENT}) AS different ORDER BY feature, subject, window_start
"""
COUNTER_CORRECTION = f"""
    INSERT INTO billing_usage_counter AS c (account_id, feature, subject, window_start, used, reserved)
    SELECT %(account)s, feature, subject, window_start, due, 0 FROM ({_DIFFERENT}) AS different
    ON CONFLICT (account_id, feature, subject, window_start) DO UPDATE SET used = excluded.used
"""
