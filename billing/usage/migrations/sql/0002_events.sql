-- Usage events, spread over partitions by account: the unique key (account, idempotency key) then holds for ever without
-- a table of its own, a batch of one account goes into one partition, and a distributed PostgreSQL can place them.
CREATE TABLE billing_usage_usageevent (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    workspace_id uuid NOT NULL,
    idempotency_key varchar(200) NOT NULL,
    body_digest bytea NOT NULL,
    product varchar(40) NOT NULL,
    unit varchar(20) NOT NULL,
    provider varchar(40) NOT NULL,
    model varchar(120) NOT NULL,
    credential_source varchar(10) NOT NULL,
    quantity numeric(38, 9) NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cached_input_tokens bigint NOT NULL,
    cost numeric(38, 9) NOT NULL,
    currency varchar(3) NOT NULL,
    funding varchar(10) NOT NULL,
    office varchar(100) NOT NULL,
    agent varchar(100) NOT NULL,
    session varchar(100) NOT NULL,
    end_user varchar(100) NOT NULL,
    outcome varchar(40) NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    period_start timestamptz NOT NULL,
    reverses_id uuid NULL,
    PRIMARY KEY (account_id, id),
    CONSTRAINT usageevent_once UNIQUE (account_id, idempotency_key),
    CONSTRAINT usageevent_only_reversals_negative CHECK (
        reverses_id IS NOT NULL
        OR (quantity >= 0 AND input_tokens >= 0 AND output_tokens >= 0 AND cached_input_tokens >= 0 AND cost >= 0)
    ),
    CONSTRAINT usageevent_cached_within_input CHECK (reverses_id IS NOT NULL OR cached_input_tokens <= input_tokens)
) PARTITION BY HASH (account_id);

CREATE TABLE billing_usage_usageevent_0 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE billing_usage_usageevent_1 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE billing_usage_usageevent_2 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE billing_usage_usageevent_3 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE billing_usage_usageevent_4 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE billing_usage_usageevent_5 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE billing_usage_usageevent_6 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE billing_usage_usageevent_7 PARTITION OF billing_usage_usageevent FOR VALUES WITH (MODULUS 8, REMAINDER 7);

CREATE UNIQUE INDEX usageevent_reversed_once ON billing_usage_usageevent (account_id, reverses_id)
    WHERE reverses_id IS NOT NULL;
