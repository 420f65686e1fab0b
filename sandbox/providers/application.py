"""From a request to an answer: which provider, which key, what becomes of it."""

from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.providers.faults import Faults, echo
from sandbox.providers.home import home_page
from sandbox.providers.keybook import KeyBook
from sandbox.providers.keys import State
from sandbox.providers.provider import Call, Cause, Provider, Refused, View
from sandbox.providers.registry import PROVIDERS
from sandbox.providers.wire import Answer, Json, Request, json_answer

SLOWNESS = 30.0  # seconds
CALLS_KEPT = 1000
LAST_LETTERS = 4
CAUSES = {
    State.RESTRICTED: Cause.RESTRICTED,
    State.RATE_LIMITED: Cause.RATE_LIMITED,
    State.QUOTA_EXHAUSTED: Cause.QUOTA_EXHAUSTED,
    State.INVALID: Cause.INVALID,
}


@dataclass
class Application:
    """Everything that the process knows."""

    store: Path | None = None
    keys: KeyBook = field(init=False)
    faults: Faults = field(default_factory=Faults)
    calls: deque[Json] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))

    def __post_init__(self) -> None:
        self.keys = KeyBook(self.store)

    def answer(self, request: Request) -> Answer:
        """Serve one request of a provider's, or the page for people."""
        _, _, rest = request.path.partition("/")
        name, slash, path = rest.partition("/")
        if not rest and request.method == "GET":
            return home_page(request.headers.get("host", ""))
        provider = PROVIDERS.get(name)
        if provider is None:
            return json_answer({"error": f"There is no provider at {request.path}."}, status=404)
        return self._answer_as(provider, replace(request, path=slash + path))

    def _answer_as(self, provider: Provider, request: Request) -> Answer:
        key = provider.find_key(request)
        self.calls.append(
            {"provider": provider.id, "method": request.method, "path": request.path, "key": key[-LAST_LETTERS:]}
        )
        fault = self.faults.take(provider.id)
        if fault and (answer := fault.answer(provider, key)):
            return answer
        try:
            answer = self._serve(provider, request, key)
        except Refused as refused:
            answer = provider.refusal(refused.cause)
        return replace(answer, after=answer.after + fault.seconds) if fault else answer

    def _serve(self, provider: Provider, request: Request, key: str) -> Answer:
        found = provider.route(request.method, request.path)
        if found is None:
            raise Refused(Cause.NOT_FOUND)
        view, match, is_check = found
        if provider.needs_key and not key:
            raise Refused(Cause.MISSING_KEY)
        if provider.missing_header(request):
            raise Refused(Cause.MISSING_HEADER)
        unknown = State.INVALID if provider.needs_key else State.VALID
        state = self.keys.state_of(provider.id, key) or unknown
        if is_check:
            view, state = _even_so(provider, view, state)
        return _answer_in(state, provider, view, Call(request, key, match))


def _even_so(provider: Provider, view: View, state: State) -> tuple[View, State]:
    """A provider that answers 200 all the same, and says in the body what is wrong."""
    return (provider.even_so[state], State.VALID) if state in provider.even_so else (view, state)


def _answer_in(state: State, provider: Provider, view: View, call: Call) -> Answer:
    match state:
        case State.VALID:
            return json_answer(view(call))
        case State.SLOW:
            return replace(json_answer(view(call)), after=SLOWNESS)
        case State.UNREACHABLE:
            return Answer(0, hang_up=True)
        case State.ECHO:
            return echo(provider, call.key)
        case _:
            return provider.refusal(CAUSES[state])
