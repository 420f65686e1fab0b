"""The limits that the product is measured against: the same SQL by pgbench, and COPY into the same table."""

import re
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from bench.world import ACCOUNTS
from sandbox.cluster import program

_TPS = re.compile(r"tps = ([0-9.]+)")

# One prepared request an account: pgbench only makes the ids new, as every call of the product does.
_REQUESTS = """
    DROP TABLE IF EXISTS bench_request;
    CREATE TABLE bench_request (n integer PRIMARY KEY, body jsonb NOT NULL);
    INSERT INTO bench_request
    SELECT row_number() OVER (ORDER BY a.id), jsonb_build_object(
        'key', k.id, 'account', a.id, 'version', a.version, 'tenant', a.tenant_id, 'workspace', w.workspace_id,
        'ledger', a.credits_id, 'receivable', a.receivable_id, 'revenue', r.id,
        'body_digest', '00112233445566778899aabbccddeeff', 'provider', 'openai', 'model', 'gpt-4o-mini',
        'credential_source', 'platform', 'funding', 'credits', 'currency', 'USD',
        'rates', jsonb_build_object('input_per_million', '0.15', 'output_per_million', '0.60',
                                    'cached_input_per_million', '0.075', 'long_context', '[]'::jsonb),
        'input_tokens', 900, 'max_output_tokens', 400, 'held', '0.000375', 'meters', '[]'::jsonb,
        'period_start', date_trunc('month', now()),
        'quoted', '0.000375', 'credential_reason', '', 'office', '', 'agent', 'bench', 'end_user', '', 'swept', false,
        'sandbox', false, 'session_slots', 1000, 'session_rate', 1000000, 'session_repeats', 1000000,
        'session_lease', 60)
      FROM billing_subscriptions_billingaccount AS a
      JOIN billing_subscriptions_workspacebilling AS w ON w.account_id = a.id,
           (SELECT id FROM tenants_apikey LIMIT 1) AS k,
           (SELECT id FROM billing_credits_ledgeraccount WHERE kind = 'revenue') AS r;
"""
_AUTHORIZE = """
\\set n {number}
\\set session random(1, 64)
SELECT a.* FROM bench_request AS b, quaestor_authorize(jsonb_build_array(b.body || jsonb_build_object(
    'id', gen_random_uuid(), 'hold', gen_random_uuid(), 'idempotency_key', gen_random_uuid(),
    'session', 's-' || :session, 'new_session', gen_random_uuid(), 'session_shape', md5(random()::text),
    'expires_at', now() + interval '15 minutes')), now()) AS a WHERE b.n = :n;
"""
_SETTLE = """
SELECT s.verdict FROM bench_settle AS b, quaestor_settle(jsonb_build_array(b.body), now()) AS s
 WHERE b.n = (SELECT nextval('bench_next'));
"""
# Runs to settle: authorized here in bulk, spread over the accounts or all on one.
_OPEN_RUNS = """
    DROP TABLE IF EXISTS bench_settle;
    DROP SEQUENCE IF EXISTS bench_next;
    CREATE SEQUENCE bench_next;
    CREATE TABLE bench_settle AS
    SELECT g AS n, b.n AS request, gen_random_uuid() AS id, b.body
      FROM generate_series(1, %(runs)s) AS g
      JOIN bench_request AS b ON b.n = CASE WHEN %(hot)s THEN 1 ELSE 1 + g %% 1000 END;
    SELECT count(*) FROM quaestor_authorize((SELECT jsonb_agg(body || jsonb_build_object(
        'id', id, 'hold', gen_random_uuid(), 'idempotency_key', id, 'session', 's-' || n %% 64,
        'new_session', gen_random_uuid(), 'session_shape', md5(id::text), 'expires_at', now() + interval '15 minutes'))
        FROM bench_settle), now());
    UPDATE bench_settle SET body = jsonb_build_object(
        'id', id, 'ledger', body -> 'ledger', 'receivable', body -> 'receivable', 'revenue', body -> 'revenue',
        'digest', '00112233445566778899aabbccddeeff', 'cost', '0.000255', 'swept', false, 'session_lease', 60,
        'event', body || jsonb_build_object(
            'id', gen_random_uuid(), 'account_id', body -> 'account', 'tenant_id', body -> 'tenant',
            'workspace_id', body -> 'workspace', 'idempotency_key', 'quaestor:' || id, 'product', 'llm',
            'unit', 'token', 'session', 's-' || n %% 64,
            'quantity', '1100', 'output_tokens', 200, 'cached_input_tokens', 0, 'cost', '0.000255',
            'outcome', 'success', 'occurred_at', now(), 'recorded_at', now(),
            'period_start', date_trunc('month', now())));
    CREATE UNIQUE INDEX ON bench_settle (n);
    ANALYZE bench_settle;
"""

_COLUMNS = """
    id, account_id, tenant_id, workspace_id, idempotency_key, body_digest, product, unit, provider, model,
    credential_source, quantity, input_tokens, output_tokens, cached_input_tokens, cost, currency, funding, office,
    agent, session, end_user, outcome, occurred_at, recorded_at, period_start, reverses_id, credential_id,
    credential_reason, sandbox
"""


class Limits:
    """Runs the limits on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute(_REQUESTS)
        if self.row("SELECT count(*) FROM bench_request")[0] != ACCOUNTS:
            raise SystemExit("The benchmark's requests are incomplete.")

    def authorize(self, *, hot: bool, clients: int, seconds: int) -> float:
        """Authorizations a second by pgbench."""
        return self._pgbench(_AUTHORIZE.format(number=1 if hot else "random(1, 1000)"), clients, ["-T", str(seconds)])

    def settle(self, *, hot: bool, clients: int, runs: int) -> float:
        """Settlements a second by pgbench."""
        self.open_runs(hot=hot, runs=runs)
        return self._pgbench(_SETTLE, clients, ["-t", str(runs // clients)])

    def open_runs(self, *, hot: bool, runs: int) -> list[UUID]:
        """Authorize runs; answers their ids."""
        psycopg.ClientCursor(self._connection).execute(_OPEN_RUNS, {"runs": runs, "hot": hot})
        return [row[0] for row in self._connection.execute("SELECT id FROM bench_settle ORDER BY n")]

    def copy(self, rows: int) -> float:
        """Events a second by COPY into the table of usage events, with its indexes, one connection."""
        body = self._connection.execute("SELECT body FROM bench_request WHERE n = 1").fetchone()
        assert body is not None
        lines = "".join(_copy_lines(body[0], rows)).encode()
        began = time.perf_counter()
        with self._connection.cursor().copy(f"COPY billing_usage_usageevent ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(lines)
        return rows / (time.perf_counter() - began)

    def copy_out(self, statement: str) -> float:
        """Rows a second of COPY TO STDOUT."""
        rows, began = 0, time.perf_counter()
        with self._connection.cursor().copy(f"{statement} TO STDOUT (FORMAT csv)".encode()) as copy:
            for _ in copy:
                rows += 1
        return rows / (time.perf_counter() - began)

    def row(self, query: str) -> tuple[Any, ...]:
        """A query's only row."""
        row = self._connection.execute(query.encode()).fetchone()
        if row is None:
            raise SystemExit(f"Nothing is found by {query}")
        return row

    def _pgbench(self, script: str, clients: int, length: list[str]) -> float:
        path = self._folder / "script.sql"
        path.write_text(script)
        command = [str(program("pgbench")), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-f", str(path)]
        done = subprocess.run([*command, *length, self._url], capture_output=True, text=True, check=False)
        found = _TPS.search(done.stdout)
        if done.returncode or not found:
            raise SystemExit(f"pgbench failed: {done.stderr or done.stdout}")
        return float(found[1])


def _copy_lines(body: dict[str, Any], rows: int) -> Iterable[str]:
    at = "2026-01-01 00:00:00+00"
    for _ in range(rows):
        key = uuid7()
        yield (
            f"{key}\t{body['account']}\t{body['tenant']}\t{body['workspace']}\tcopy-{key}\t\\\\x{key.hex}\tllm\ttoken\t"
            f"openai\tgpt-4o-mini\tplatform\t1100\t900\t200\t0\t0.000255\tUSD\tcredits\t\tbench\ts\t\t\t"
            f"{at}\t{at}\t{at}\t\\N\t\\N\t\tf\n"
        )
