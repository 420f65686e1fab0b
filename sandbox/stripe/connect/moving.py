"""Money to connected accounts and back, and what every account holds, in minor units (M10)."""

from collections import Counter

from sandbox.stripe.connect.accounts import find_account
from sandbox.stripe.engine.balances import record
from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "transfer"
REVERSAL = "transfer_reversal"
INSUFFICIENT = (
    "You have insufficient funds in your balance for this transfer. Charges fill it: "
    "make one with the card 4242 4242 4242 4242."
)
NOT_READY = "The destination account needs the transfers capability to be active before it can receive transfers."


def send(state: State, parameters: Json) -> Json:
    """Move an amount from the platform's balance; 400 if it is not there or the destination cannot receive."""
    amount, currency = parameters.get("amount"), parameters["currency"].lower()
    destination = find_account(state, parameters["destination"], "destination")
    if amount is None or amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if destination["capabilities"].get("transfers") != "active":
        raise StripeError(NOT_READY, code="insufficient_capabilities_for_transfer")
    if amount > platform_balance(state)[currency]:
        raise StripeError(INSUFFICIENT, code="balance_insufficient")
    transfer = _transfer(state, parameters, destination, amount, currency)
    movement = record(
        state, kind="transfer", amount=-amount, currency=currency, source=transfer, at=transfer["created"]
    )
    transfer["balance_transaction"] = movement["id"]
    state.store.put(KIND, transfer)
    state.emit("transfer.created", transfer)
    return transfer


def take_back(state: State, transfer: Json, parameters: Json) -> Json:
    """Return some of a transfer (by default what is left) to the platform's balance; 400 for more than is left."""
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = parameters.get("amount", left)
    if not 0 < amount <= left:
        raise invalid(f"This transfer has {left} left to reverse, in minor units.", "amount")
    reversal: Json = {
        "id": new_id("trr"),
        "object": REVERSAL,
        "amount": amount,
        "balance_transaction": None,
        "created": state.clock.now(),
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "source_refund": None,
        "transfer": transfer["id"],
    }
    at, currency = reversal["created"], reversal["currency"]
    movement = record(state, kind="transfer_refund", amount=amount, currency=currency, source=reversal, at=at)
    reversal["balance_transaction"] = movement["id"]
    state.store.put(REVERSAL, reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["reversals"]["data"] = [reversal, *transfer["reversals"]["data"]][:10]
    state.store.put(KIND, transfer)
    state.emit("transfer.reversed", transfer)
    return reversal


def platform_balance(state: State) -> "Counter[str]":
    """What the platform holds by currency."""
    balance: Counter[str] = Counter()
    for movement in state.store.all("balance_transaction"):
        balance[movement["currency"]] += movement["net"]
    return balance


def account_balance(state: State, account_id: str) -> "Counter[str]":
    """What a connected account has received and kept, by currency."""
    balance: Counter[str] = Counter()
    for transfer in state.store.where(KIND, destination=account_id):
        balance[transfer["currency"]] += transfer["amount"] - transfer["amount_reversed"]
    return balance


def _transfer(state: State, parameters: Json, destination: Json, amount: int, currency: str) -> Json:
    transfer_id = new_id("tr")
    return {
        "id": transfer_id,
        "object": KIND,
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": state.clock.now(),
        "currency": currency,
        "description": parameters.get("description"),
        "destination": destination["id"],
        "livemode": False,
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{transfer_id}/reversals"},
        "reversed": False,
        "source_transaction": parameters.get("source_transaction"),
        "source_type": parameters.get("source_type", "card"),
        "transfer_group": parameters.get("transfer_group"),
    }
