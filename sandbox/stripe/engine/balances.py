"""The sandbox's own balance and the customers': every movement is written down."""

from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed


def record(state: State, *, kind: str, amount: int, currency: str, source: Json, at: int, fee: int = 0) -> Json:
    """Write a movement of the platform's balance, in minor units; available at once."""
    details = [{"amount": fee, "application": None, "currency": currency, "description": "Fees", "type": "stripe_fee"}]
    return state.store.put(
        "balance_transaction",
        {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": at,
            "balance_type": "payments",
            "created": at,
            "currency": currency,
            "description": source.get("description"),
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": "dispute" if kind == "adjustment" else kind,
            "source": source["id"],
            "status": "available",
            "type": kind,
        },
    )


def change_customer_balance(state: State, customer: Json, *, amount: int, invoice: Json, kind: str) -> None:
    """Add to what the customer owes (negative: to what the customer has), in minor units."""
    before = dict(customer)
    customer["balance"] += amount
    customer["currency"] = customer["currency"] or invoice["currency"]
    state.store.put("customer", customer)
    state.store.put(
        "customer_balance_transaction",
        {
            "id": new_id("cbtxn"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": state.now(customer),
            "credit_note": None,
            "currency": invoice["currency"],
            "customer": customer["id"],
            "description": None,
            "ending_balance": customer["balance"],
            "invoice": invoice["id"],
            "livemode": False,
            "metadata": {},
            "type": kind,
        },
    )
    state.emit("customer.updated", customer, changed(before, customer))
