-- What an execution past the limit costs counts against the account's cap of the day as well, from its admission on (P8,
-- M9). Executions are checked before the cap: meters come in the order in which a run takes them.
CREATE OR REPLACE FUNCTION quaestor_check_meters(
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
