"""A trace as a platform would send it: runs that are authorized and settled, and usage reported in batches.

Every request has a key of its own and is sent until it is answered. What an answer must say is checked at once; what
all of them must come to is in `reckoning`.
"""

import itertools
import math
import random
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from sandbox.demo.trace import read_trace

TURNS = 12  # requests of one session
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini")
LANES = 6
CALL_SECONDS = 15.0
MOST_WAITING = 240.0  # seconds that a request may stay without an answer
SPAN = timedelta(days=17)  # what the part of the trace is stretched to, over two billing periods

Answer = dict[str, Any]


@dataclass
class Run:
    """One authorized run; `end` is settle, void, or leave."""

    customer: str
    key: str
    end: str
    ask: dict[str, Any]
    figures: dict[str, Any]
    granted: Answer = field(default_factory=dict)
    settled: Answer = field(default_factory=dict)


@dataclass
class Batch:
    """Events that are reported together."""

    customer: str
    events: list[dict[str, Any]]
    ids: list[str] = field(default_factory=list)


Job = Run | Batch


def make_jobs(requests: int, until: datetime, chance: random.Random) -> list[Job]:
    """The first `requests` of the trace, dealt out to three customers by session, the last event at `until`."""
    jobs: list[Job] = []
    waiting: dict[str, Batch] = {}
    trace = read_trace()[:requests]
    last = trace[-1][0]
    stretch = SPAN / (trace[0][0] - last)
    for number, (before, context, generated) in enumerate(trace):
        customer = ("paid", "past", "owing")[number // TURNS % 3]
        if customer != "owing" and number % 2:
            jobs.append(_run(customer, number, context, generated))
            continue
        happened = until - (before - last) * stretch
        batch = waiting.setdefault(customer, Batch(customer, []))
        batch.events.append(_event(customer, number, context, generated, happened))
        if len(batch.events) >= chance.randint(1, 40):
            jobs.append(waiting.pop(customer))
    return jobs + list(waiting.values())


def _place(number: int) -> dict[str, str]:
    session = number // TURNS
    return {
        "office": f"office {session % 3}",
        "agent": f"agent {session % 7}",
        "session": f"session-{session}",
        "user": f"user-{number % 5}" if number % 4 else "",
    }


def _run(customer: str, number: int, context: int, generated: int) -> Run:
    """Some runs need more than they asked for, and some of the first customer's come to nothing."""
    most = generated // 2 if number % 7 == 0 else generated + 50
    model = {"provider": "openai", "model": MODELS[number % 3], "input_tokens": context, "max_output_tokens": most}
    ends = {3: "void", 7: "leave"} if customer == "paid" else {}
    figures = {"input_tokens": context, "output_tokens": generated, "cached_tokens": context // 3}
    key = f"run-{number}"
    ask = {"workspace": "main", "idempotency_key": key} | model | _place(number)
    return Run(customer, key, ends.get(number % 10, "settle"), ask, figures)


def _event(customer: str, number: int, context: int, generated: int, happened: datetime) -> dict[str, Any]:
    event = {"idempotency_key": f"event-{number}", "workspace": "main", "occurred_at": happened.isoformat()}
    event |= _place(number)
    if customer == "past":
        return event | {"product": "pstn", "quantity": f"{generated}.{context:09d}"}
    model = {"provider": "openai", "model": MODELS[number % 3], "product": "llm"}
    tokens = {"input_tokens": context, "output_tokens": generated, "cached_input_tokens": context // 2}
    return event | model | tokens


class Platform:
    """Sends jobs from several threads, each request until it is answered, and counts the answers."""

    def __init__(self, url: str, keys: dict[str, str]) -> None:
        self._url, self._keys = url, keys
        self._local, self._clients = threading.local(), ExitStack()
        self._answers = itertools.count(1)
        self.answered = 0
        self._deadline = math.inf
        self.ahead = 0  # no more than so many answers for now, those to calls under way excepted
        self.failures: Counter[str] = Counter()

    def send(self, job: Job) -> None:
        """A job to its end; raises what is wrong with an answer."""
        while self.answered >= self.ahead:
            time.sleep(0.002)
        if isinstance(job, Batch):
            self._report(job)
        else:
            self._authorize(job)
            self._close(job)

    def _authorize(self, run: Run) -> None:
        granted = self._call(run.customer, "/v1/runtime/authorizations", run.ask, 201)
        first = run.granted or granted
        same = {name: first[name] for name in ("id", "model", "held", "overage", "expires_at")}
        assert {name: granted[name] for name in same} == same
        run.granted = first

    def _close(self, run: Run) -> None:
        path = f"/v1/runtime/authorizations/{run.granted['id']}"
        if run.end == "settle":
            settled = self._call(run.customer, f"{path}/settle", run.figures, 200)
            assert run.settled in ({}, settled)
            run.settled = settled
        elif run.end == "void":
            assert self._call(run.customer, f"{path}/void", {}, 200)["state"] == "voided"

    def _report(self, batch: Batch) -> None:
        results = self._call(batch.customer, "/v1/usage/events", {"events": batch.events}, 200)["results"]
        assert {result["status"] for result in results} <= {"accepted", "duplicate"}, results
        ids = [result["event_id"] for result in results]
        assert batch.ids in ([], ids)
        batch.ids = ids

    def _call(self, customer: str, path: str, body: dict[str, Any], status: int) -> Answer:
        """The answer, however often it has to be asked for."""
        deadline = time.monotonic() + MOST_WAITING
        while True:
            try:
                response = self._client().post(
                    path, json=body, headers={"Authorization": f"Bearer {self._keys[customer]}"}
                )
            except httpx.TransportError as error:
                response, failure = None, type(error).__name__
            else:
                failure = str(response.status_code)
            if response is not None and response.status_code == status:
                self.answered = max(self.answered, next(self._answers))
                answer: Answer = response.json()
                return answer
            assert response is None or response.status_code in {429, 500, 502, 503}, response.text
            assert time.monotonic() < min(deadline, self._deadline), f"{path} has got no answer."
            self.failures[failure] += 1
            time.sleep(0.05)

    def _client(self) -> httpx.Client:
        if not hasattr(self._local, "client"):
            client = httpx.Client(base_url=self._url, timeout=CALL_SECONDS, trust_env=False)
            self._local.client = self._clients.enter_context(client)
        known: httpx.Client = self._local.client
        return known

    def give_up(self) -> None:
        """Let nobody wait for its turn any longer, or for an answer that does not come."""
        self.ahead, self._deadline = sys.maxsize, 0.0

    def close(self) -> None:
        self._clients.close()


def happened_at(run: Run) -> datetime:
    """When a run was admitted: fifteen minutes before its authorization ends."""
    return datetime.fromisoformat(run.granted["expires_at"]) - timedelta(minutes=15)
