"""From a request to an answer: key, version, contract, idempotency, handler, expansion, contract again."""

import base64
import binascii
import json
import logging
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandbox.stripe import routing
from sandbox.stripe.conformance import ViolationError
from sandbox.stripe.contract import Operation, find_operation
from sandbox.stripe.errors import StripeError
from sandbox.stripe.expansion import expand
from sandbox.stripe.faults import Fault
from sandbox.stripe.forms import decode
from sandbox.stripe.idempotency import KeysInUse, check_key, fingerprint, keep_answer, kept_answer
from sandbox.stripe.ids import new_id
from sandbox.stripe.platform import PLATFORM_ACCOUNT
from sandbox.stripe.routing import Call, PathTable
from sandbox.stripe.specification import API_VERSION
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, public

logger = logging.getLogger(__name__)

TEST_KEY = re.compile(r"(?:sk|rk)_test_[A-Za-z0-9]{24,}")
JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Request:
    method: str
    target: str  # path and query, as sent
    headers: dict[str, str]  # names in lower case
    body: str

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def parameters(self) -> Json:
        """The decoded query and form together."""
        return decode("&".join(filter(None, (urlsplit(self.target).query, self.body))))


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False  # drop the connection instead of answering


class Application:
    """Everything but sockets."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._keys = KeysInUse()
        self._controls = PathTable([path for _, path in routing.CONTROLS])
        self._pages = PathTable([path for _, path in routing.PAGES])

    def answer(self, request: Request) -> Answer:
        """Whatever goes wrong here is noted: a fault of the sandbox must reach the test that met it."""
        place = f"{request.method} {request.path}"
        try:
            return self._answer(request)
        except Exception as error:
            logger.exception("%s failed", place)
            status, body = self._violated(place, f"{type(error).__name__}: {error}")
            return Answer(status, to_bytes(body), {"Content-Type": JSON_TYPE})

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith(("/v1/", "/v2/")):
            return self._answer_api(request)
        if request.path.startswith("/_sandbox/"):
            return self._answer_control(request)
        return self._answer_page(request)

    # The API

    def _answer_api(self, request: Request) -> Answer:
        request_id = new_id("req")
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, "Content-Type": JSON_TYPE}
        fault = self.state.faults.take(request.method, request.path)
        if fault and fault.seconds:
            time.sleep(fault.seconds)
        if fault and fault.kind == "timeout":
            return Answer(0, b"", hang_up=True)
        try:
            status, body, replayed = self._execute(request, request_id, fault)
        except StripeError as error:
            status, body, replayed = error.status, error.body(), False
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        if "idempotency-key" in request.headers:
            headers["Idempotency-Key"] = request.headers["idempotency-key"]
        return Answer(status, to_bytes(body), headers, hang_up=fault is not None and fault.kind == "lost")

    def _execute(self, request: Request, request_id: str, fault: Fault | None) -> tuple[int, Json, bool]:
        authenticate(request.headers)
        if fault and fault.kind == "status":
            raise fault.error()
        found = find_operation(request.method, request.path)
        if found is None or (request.method, found[0].template) not in routing.API:
            raise unrecognized(request)
        operation, arguments = found
        parameters = operation.decoded(request.parameters())
        account = self._account(request)
        call = Call(request.method, request.path, arguments, parameters, self.state, account, request.headers)
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        if key is None:
            return *self._run(operation, call, request_id), False
        check_key(key)
        with self._keys.use(key):
            return self._run_once(operation, call, request_id, key)

    def _run_once(self, operation: Operation, call: Call, request_id: str, key: str) -> tuple[int, Json, bool]:
        asked = fingerprint(call.method, call.path, call.parameters, call.account)
        with self.state.transaction():
            kept = kept_answer(self.state.store, key, asked)
        if kept:
            return *kept, True
        status, body = self._run(operation, call, request_id, key)
        if status < 500:
            with self.state.transaction():
                keep_answer(self.state.store, key, asked, status=status, body=body)
        return status, body, False

    def _run(self, operation: Operation, call: Call, request_id: str, key: str | None = None) -> tuple[int, Json]:
        """Status and body of the handler's answer or of its error."""
        place = f"{call.method} {call.path}"
        try:
            with self.state.transaction():
                return 200, self._handle(operation, call, {"id": request_id, "idempotency_key": key})
        except StripeError as error:
            body = public(error.body())
            try:
                operation.check_error(body, "error")
            except ViolationError as violation:
                return self._violated(place, str(violation))
            return error.status, body
        except ViolationError as violation:
            return self._violated(place, str(violation))

    def _handle(self, operation: Operation, call: Call, named: Json) -> Json:
        self.state.request = named
        try:
            answer = routing.API[call.method, operation.template](call)
        finally:
            self.state.request = None
        expand(self.state, answer, call.parameters.get("expand", []))
        shown: Json = public(answer)
        operation.check_answer(shown, "")
        return shown

    def _violated(self, place: str, reason: str) -> tuple[int, Json]:
        self.state.violations.append({"request": place, "reason": reason})
        return 500, StripeError(f"The sandbox is at fault: {reason}", status=500, error_type="api_error").body()

    def _account(self, request: Request) -> str | None:
        account = request.headers.get("stripe-account")
        if account is None or account == PLATFORM_ACCOUNT:
            return None
        with self.state.transaction():
            if self.state.store.find("account", account):
                return account
        raise StripeError(
            f"The provided key does not have access to account '{account}' (or that account does not exist).",
            status=403,
            code="account_invalid",
        )

    # What is beside the API

    def _answer_control(self, request: Request) -> Answer:
        found = self._controls.find(request.path)
        handler = routing.CONTROLS.get((request.method, found[0])) if found else None
        headers = {"Content-Type": JSON_TYPE}
        if found is None or handler is None:
            return Answer(404, to_bytes(unrecognized(request).body()), headers)
        try:
            parameters = _json_object(request.body)
            call = Call(request.method, request.path, found[1], parameters, self.state, headers=request.headers)
            return Answer(200, to_bytes(handler(call)), headers)
        except StripeError as error:
            return Answer(error.status, to_bytes(error.body()), headers)

    def _answer_page(self, request: Request) -> Answer:
        found = self._pages.find(request.path)
        handler = routing.PAGES.get((request.method, found[0])) if found else None
        if found is None or handler is None:
            return Answer(404, b"There is no such page in the sandbox.\n", {"Content-Type": "text/plain"})
        try:
            call = Call(
                request.method, request.path, found[1], request.parameters(), self.state, headers=request.headers
            )
            with self.state.transaction():
                page = handler(call)
        except StripeError as error:
            return Answer(error.status, f"{error.message}\n".encode(), {"Content-Type": "text/plain; charset=utf-8"})
        headers = {"Content-Type": HTML_TYPE} | ({"Location": page.location} if page.location else {})
        return Answer(page.status if not page.location else 303, page.body.encode(), headers)


def authenticate(headers: dict[str, str]) -> None:
    """401 without a test key, 400 for another API version."""
    key = _key(headers.get("authorization", ""))
    if not key:
        raise StripeError("You did not provide an API key.", status=401)
    if not TEST_KEY.fullmatch(key):
        raise StripeError(f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}", status=401)
    version = headers.get("stripe-version", API_VERSION)
    if version != API_VERSION:
        raise StripeError(f"The sandbox speaks API version {API_VERSION} only, not {version}.")


def unrecognized(request: Request) -> StripeError:
    return StripeError(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)


def to_bytes(body: Json) -> bytes:
    return json.dumps(body, indent=2).encode() + b"\n"


def _key(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials).decode("ascii").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _json_object(text: str) -> Json:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise StripeError(f"The body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise StripeError("The body must be a JSON object.")
    return value
