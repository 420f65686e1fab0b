"""Every address of the API, how to call it, and which scopes open it: what the matrices of tests run over."""

from dataclasses import dataclass
from typing import Any

from sandbox.providers.registry import PROVIDERS
from tenants.permissions import Permission

V, B = Permission.BILLING_VIEW, Permission.BILLING_MANAGE
T, U, R = Permission.TENANT_MANAGE, Permission.USAGE_WRITE, Permission.RUNTIME

EVENT = {"idempotency_key": "e", "workspace": "main", "product": "pstn", "quantity": "1"}
RUN = {
    "idempotency_key": "r",
    "workspace": "main",
    "input_tokens": 10,
    "max_output_tokens": 10,
    "provider": "openai",
    "model": "gpt-4o",
}
BACK = {"success_url": "http://127.0.0.1:8000/done", "cancel_url": "http://127.0.0.1:8000/plans"}
CHECKOUT = {"plan_slug": "pro", "billing_interval": "monthly", **BACK}
TOP_UP = {"amount": "20.00", **BACK}
OPENAI_KEY = PROVIDERS["openai"].key()
NEW_KEY = {"provider": "openai", "api_key": OPENAI_KEY, "name": "Another"}
NEW_WEBHOOK = {"url": "https://93.184.216.34/hooks", "event_types": ["invoice.paid"]}
ON_PLATFORM = {"scope": "tenant", "provider": "openai", "credential": "platform"}


OBJECTS = ("agent", "source", "run", "topup", "invoice", "credential", "session", "webhook", "delivery")


@dataclass(frozen=True)
class Endpoint:
    """One method of an address; `{ws}` is the workspace in it, other names are of the object that it names.

    `status` is what a customer on credits is answered while no Stripe is configured, but a vault is.
    """

    method: str
    path: str
    scopes: frozenset[Permission]
    status: int = 200
    body: Any = None
    media_type: str = "application/json"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def at(self, *, workspace: str = "main", **objects: str) -> str:
        names = dict.fromkeys(OBJECTS, "") | objects
        return "/v1/" + self.path.format(ws=workspace, **names)


_IN = "workspaces/{ws}"
ENDPOINTS = [
    Endpoint("GET", f"{_IN}/billing/plans", frozenset({V, B})),
    Endpoint("GET", f"{_IN}/billing/entitlements", frozenset({V, B})),
    Endpoint("GET", f"{_IN}/billing/usage", frozenset({V, B})),
    Endpoint("POST", f"{_IN}/billing/checkout-session", frozenset({B}), 503, CHECKOUT),
    Endpoint("POST", f"{_IN}/billing/portal", frozenset({B}), 503, {"return_url": BACK["cancel_url"]}),
    Endpoint("POST", f"{_IN}/billing/byo-toggle", frozenset({B}), 200, {"enabled": True}),
    Endpoint("GET", f"{_IN}/billing/subscription", frozenset({V, B})),
    Endpoint("PATCH", f"{_IN}/billing/subscription", frozenset({B}), 200, {"plan_slug": "free"}),
    Endpoint("POST", f"{_IN}/billing/subscription/preview", frozenset({B}), 200, {"plan_slug": "free"}),
    Endpoint("GET", f"{_IN}/agents", frozenset({V, T, U, R})),
    Endpoint("POST", f"{_IN}/agents", frozenset({T, U, R}), 201, {"name": "Ada"}),
    Endpoint("DELETE", f"{_IN}/agents/{{agent}}", frozenset({T, U, R}), 204),
    Endpoint("GET", f"{_IN}/kb/sources", frozenset({V, T, U, R})),
    Endpoint("POST", f"{_IN}/kb/sources", frozenset({T, U, R}), 201, {"name": "a", "bytes": 1}),
    Endpoint("DELETE", f"{_IN}/kb/sources/{{source}}", frozenset({T, U, R}), 204),
    Endpoint("GET", "billing/usage?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/balance?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/spend-controls?workspace={ws}", frozenset({V, B})),
    Endpoint("PUT", "billing/spend-controls?workspace={ws}", frozenset({B}), 200, {"daily_cap": "20.00"}),
    Endpoint("GET", "billing/details?workspace={ws}", frozenset({V, B})),
    Endpoint("PUT", "billing/details?workspace={ws}", frozenset({B}), 200, {"name": "Acme Support Ltd"}),
    Endpoint("GET", "billing/invoices?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/invoices/{invoice}", frozenset({V, B})),
    Endpoint("GET", "billing/invoices/{invoice}.pdf", frozenset({V, B}), media_type="application/pdf"),
    Endpoint("GET", "billing/ledger?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/payment-methods?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/topups?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "billing/topups/{topup}", frozenset({V, B})),
    Endpoint("POST", "billing/topups", frozenset({B}), 503, TOP_UP),
    Endpoint("GET", "quota/tokens?workspace={ws}", frozenset({V, B, U, R})),
    Endpoint("GET", "usage/events?workspace={ws}", frozenset({V, B, U})),
    Endpoint("GET", "usage/sessions?workspace={ws}", frozenset({V, B})),
    Endpoint("GET", "usage/export?workspace={ws}", frozenset({V, B}), media_type="text/csv; charset=utf-8"),
    Endpoint("POST", "usage/events", frozenset({U, R}), 200, EVENT),
    Endpoint("POST", "runtime/authorizations", frozenset({U, R}), 201, RUN),
    Endpoint(
        "POST", "runtime/authorizations/{run}/settle", frozenset({U, R}), 200, {"input_tokens": 1, "output_tokens": 1}
    ),
    Endpoint("GET", "sessions?workspace={ws}", frozenset({V, B, T, U, R})),
    Endpoint("GET", "sessions/quota?workspace={ws}", frozenset({V, B, T, U, R})),
    Endpoint("POST", "sessions", frozenset({T, U, R}), 201, {"workspace": "main", "session": "new"}),
    Endpoint("GET", "sessions/{session}", frozenset({V, B, T, U, R})),
    Endpoint("PATCH", "sessions/{session}", frozenset({T, U, R}), 200, {"state": "paused"}),
    Endpoint("DELETE", "sessions/{session}", frozenset({T, U, R}), 204),
    # Refused for what is there: the vault of these tests keeps no platform key.
    Endpoint("POST", "runtime/authorizations/{run}/credential", frozenset({R}), 409),
    Endpoint("POST", "runtime/authorizations/{run}/void", frozenset({U, R}), 200, {}),
]
_KEY = "vault/credentials/{credential}"
VAULT = [
    Endpoint("GET", "vault/credentials", frozenset({T})),
    Endpoint("POST", "vault/credentials", frozenset({T}), 201, NEW_KEY),
    Endpoint("GET", _KEY, frozenset({T})),
    Endpoint("PATCH", _KEY, frozenset({T}), 200, {"disabled": True}),
    Endpoint("DELETE", _KEY, frozenset({T}), 204),
    Endpoint("POST", f"{_KEY}/rotate", frozenset({T}), 200, {"api_key": OPENAI_KEY}),
    Endpoint("POST", f"{_KEY}/restore", frozenset({T}), 409),
    Endpoint("POST", f"{_KEY}/validate", frozenset({T})),
    Endpoint("GET", "vault/assignments", frozenset({T})),
    Endpoint("PUT", "vault/assignments", frozenset({T}), 200, ON_PLATFORM),
    Endpoint("GET", "vault/policy", frozenset({T})),
    Endpoint("PUT", "vault/policy", frozenset({T}), 200, {"fallback": "strict"}),
    Endpoint("GET", "vault/providers", frozenset({T})),
    Endpoint("GET", "vault/accesses", frozenset({T})),
]
_WEBHOOK = "webhook-endpoints/{webhook}"
_DELIVERY = f"{_WEBHOOK}/deliveries/{{delivery}}"
WEBHOOKS = [
    Endpoint("GET", "webhook-endpoints", frozenset({T})),
    Endpoint("POST", "webhook-endpoints", frozenset({T}), 201, NEW_WEBHOOK),
    Endpoint("GET", _WEBHOOK, frozenset({T})),
    Endpoint("PATCH", _WEBHOOK, frozenset({T}), 200, {"state": "disabled"}),
    Endpoint("DELETE", _WEBHOOK, frozenset({T}), 204),
    Endpoint("POST", f"{_WEBHOOK}/rotate-secret", frozenset({T}), 200, {"overlap_hours": 2}),
    Endpoint("POST", f"{_WEBHOOK}/test", frozenset({T}), 202),
    Endpoint("GET", f"{_WEBHOOK}/deliveries", frozenset({T})),
    Endpoint("GET", _DELIVERY, frozenset({T})),
    Endpoint("POST", f"{_DELIVERY}/redeliver", frozenset({T}), 202),
]
ENDPOINTS += VAULT + WEBHOOKS
NAMING_A_WORKSPACE = [endpoint for endpoint in ENDPOINTS if "{ws}" in endpoint.path]
_NAMED = ("{agent}", "{source}", "{topup}", "{invoice}", "{credential}", "{session}", "{webhook}")
NAMING_AN_OBJECT = [endpoint for endpoint in ENDPOINTS if any(name in endpoint.path for name in _NAMED)]
PUBLIC = ["pricing/models", "pricing/plans", "openapi.json"]
