"""What the account of the call holds: /v1/balance."""

from sandbox.stripe.connect.moving import account_balance, platform_balance
from sandbox.stripe.platform import DEFAULT_CURRENCY
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json


@route("GET", "/v1/balance")
def retrieve(call: Call) -> Json:
    """Everything is available at once; with Stripe-Account, the connected account's own."""
    held = account_balance(call.state, call.account) if call.account else platform_balance(call.state)
    amounts = sorted((held or {DEFAULT_CURRENCY: 0}).items())
    return {
        "object": "balance",
        "available": _shown(amounts),
        "livemode": False,
        "pending": _shown([(name, 0) for name, _ in amounts]),
    }


def _shown(amounts: list[tuple[str, int]]) -> list[Json]:
    return [{"amount": amount, "currency": currency, "source_types": {"card": amount}} for currency, amount in amounts]
