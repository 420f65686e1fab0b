"""Credit notes: what is taken off an open invoice, and what of a paid one goes back."""

from fractions import Fraction

from sandbox.stripe.engine.amounts import rounded
from sandbox.stripe.engine.balances import change_customer_balance
from sandbox.stripe.engine.invoicing import intent_of, invoice_payment_of, mark_paid, require_status, update_invoice
from sandbox.stripe.engine.lifecycle import note_payment
from sandbox.stripe.engine.refunding import refund_charge
from sandbox.stripe.engine.taxes import tax_of
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import as_list
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, merged_metadata

KIND = "credit_note"
WAYS = ("refund_amount", "credit_amount", "out_of_band_amount")


def credit_invoice(state: State, invoice: Json, wanted: Json) -> Json:
    """Make a credit note of checked parameters, amounts in minor units, taxes included.

    What is still to be paid is taken off first; how the rest goes back has to be said. 400 for more than is left of
    the invoice, and where the ways do not come to the rest.
    """
    require_status(invoice, {"open", "paid", "uncollectible"}, "create a credit note for")
    note = _drafted(state, invoice, wanted)
    before_payment = min(note["total"], invoice["amount_remaining"])
    after_payment = note["total"] - before_payment
    _check(state, invoice, note["total"], after_payment, wanted)
    note |= {"pre_payment_amount": before_payment, "post_payment_amount": after_payment}
    note["type"] = _type(before_payment, after_payment)
    _give_back(state, invoice, note, wanted)
    state.store.put(KIND, note)
    state.emit("credit_note.created", note)
    _take_off(state, invoice, before_payment, after_payment)
    return note


def void_note(state: State, note: Json) -> Json:
    """Take back what a note took off an open invoice. 400 once anything was given back, or the invoice is closed."""
    invoice = state.store.get("invoice", note["invoice"])
    if note["status"] != "issued" or note["post_payment_amount"] or invoice["status"] != "open":
        raise invalid("You can only void a credit note of an open invoice.", "id")
    note |= {"status": "void", "voided_at": state.now(invoice)}
    state.store.put(KIND, note)
    state.emit("credit_note.voided", note)
    _take_off(state, invoice, -note["pre_payment_amount"], 0)
    return note


def notes_of(state: State, invoice: str) -> list[Json]:
    """Give the credit notes of an invoice, the newest first."""
    return state.store.where(KIND, invoice=invoice)


def _check(state: State, invoice: Json, total: int, after_payment: int, wanted: Json) -> None:
    issued = sum(note["total"] for note in notes_of(state, invoice["id"]) if note["status"] == "issued")
    if total <= 0:
        raise invalid("The credit note amount must be greater than 0.", "amount")
    if issued + total > invoice["total"]:
        raise invalid("The credit note amount is greater than what is left of the invoice.", "amount")
    ways = sum(wanted.get(name, 0) for name in WAYS)
    if ways != after_payment:
        raise invalid(
            "The sum of credit amount, refund amount and out of band amount must equal the post payment amount of the "
            f"credit note, {after_payment}, and not {ways}.",
        )


def _type(before_payment: int, after_payment: int) -> str:
    if before_payment and after_payment:
        return "mixed"
    return "pre_payment" if before_payment else "post_payment"


def _give_back(state: State, invoice: Json, note: Json, wanted: Json) -> None:
    if refund := wanted.get("refund_amount", 0):
        intent = intent_of(state, invoice)
        if intent is None or not intent["latest_charge"]:
            raise invalid("There is no payment of this invoice to refund.", "refund_amount")
        charge = state.store.get("charge", intent["latest_charge"])
        made = refund_charge(state, charge, amount=refund, reason=None, metadata={})
        note["refunds"] = [
            {"amount_refunded": refund, "payment_record_refund": None, "refund": made["id"], "type": "refund"}
        ]
    if credit := wanted.get("credit_amount", 0):
        customer = state.store.get("customer", invoice["customer"])
        change_customer_balance(state, customer, amount=-credit, invoice=invoice, kind="credit_note")
        movement = state.store.where("customer_balance_transaction", customer=customer["id"])[0]
        note["customer_balance_transaction"] = movement["id"]
    note["out_of_band_amount"] = wanted.get("out_of_band_amount")


def _take_off(state: State, invoice: Json, before_payment: int, after_payment: int) -> None:
    """An invoice of which nothing is left to pay is paid."""
    due = invoice["amount_due"] - before_payment
    invoice = update_invoice(
        state,
        invoice,
        pre_payment_credit_notes_amount=invoice["pre_payment_credit_notes_amount"] + before_payment,
        post_payment_credit_notes_amount=invoice["post_payment_credit_notes_amount"] + after_payment,
        amount_due=due,
        amount_remaining=invoice["amount_remaining"] - before_payment,
    )
    if invoice["status"] != "open" or not before_payment:
        return
    if not due:
        note_payment(state, mark_paid(state, invoice, out_of_band=True))
        return
    payment, intent = invoice_payment_of(state, invoice["id"]), intent_of(state, invoice)
    if payment and intent:
        state.store.put("invoice_payment", payment | {"amount_requested": due})
        state.store.put("payment_intent", intent | {"amount": due})


def _drafted(state: State, invoice: Json, wanted: Json) -> Json:
    note_id, number = new_id("cn"), 1 + len(notes_of(state, invoice["id"]))
    lines = _lines(state, invoice, wanted)
    taxes = [tax for line in lines for tax in line["taxes"]]
    subtotal, tax = sum(line["amount"] for line in lines), sum(tax["amount"] for tax in taxes)
    return EMPTY_NOTE | {
        "id": note_id,
        "amount": subtotal + tax,
        "created": state.now(invoice),
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "effective_at": state.now(invoice),
        "invoice": invoice["id"],
        "lines": as_list(lines, f"/v1/credit_notes/{note_id}/lines"),
        "memo": wanted.get("memo"),
        "metadata": merged_metadata({}, wanted.get("metadata")),
        "number": f"{invoice['number']}-CN-{number:02}",
        "pdf": f"{state.base_url}/credit_notes/{note_id}/pdf",
        "reason": wanted.get("reason"),
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": subtotal + tax,
        "total_excluding_tax": subtotal,
        "total_taxes": _summed(taxes),
        "_test_clock": invoice["test_clock"],
    }


def _lines(state: State, invoice: Json, wanted: Json) -> list[Json]:
    if ("amount" in wanted) == ("lines" in wanted):
        raise invalid("You must provide exactly one of amount and lines.", "amount", "parameter_missing")
    if "lines" in wanted:
        return [_line(state, invoice, given) for given in wanted["lines"]]
    amount = wanted["amount"]
    taxes = [
        tax | {"amount": rounded(Fraction(amount * tax["amount"], invoice["total"]))} for tax in invoice["total_taxes"]
    ]
    net = amount - sum(tax["amount"] for tax in taxes)
    return [_new_line("Credit", net, [tax | {"taxable_amount": net} for tax in taxes])]


def _line(state: State, invoice: Json, given: Json) -> Json:
    """Of a line of the invoice, taxed as that is; or one of its own, without taxes."""
    if given["type"] == "custom_line_item":
        amount = given.get("unit_amount", 0) * given.get("quantity", 1)
        return _new_line(given.get("description") or "Credit", amount, [], quantity=given.get("quantity", 1))
    found = [line for line in invoice["lines"]["data"] if line["id"] == given.get("invoice_line_item")]
    if not found:
        raise invalid("The invoice has no such line.", "lines[0][invoice_line_item]", "resource_missing")
    credited = found[0]
    amount = given.get("amount", credited["amount"])
    rates = [state.store.get("tax_rate", tax["tax_rate_details"]["tax_rate"]) for tax in credited["taxes"]]
    taxes = [
        tax | {"amount": tax_of(rate, amount), "taxable_amount": amount}
        for tax, rate in zip(credited["taxes"], rates, strict=True)
    ]
    return _new_line(credited["description"], amount, taxes) | {
        "invoice_line_item": credited["id"],
        "type": "invoice_line_item",
    }


def _new_line(description: str | None, amount: int, taxes: list[Json], *, quantity: int = 1) -> Json:
    return {
        "id": new_id("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": description,
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "tax_rates": [],
        "taxes": taxes,
        "type": "custom_line_item",
        "unit_amount": None,
        "unit_amount_decimal": None,
    }


def _summed(taxes: list[Json]) -> list[Json]:
    """One of each rate."""
    found: dict[str, Json] = {}
    for tax in taxes:
        key = tax["tax_rate_details"]["tax_rate"]
        before = found.get(key, tax | {"amount": 0, "taxable_amount": 0})
        sums = {name: before[name] + tax[name] for name in ("amount", "taxable_amount")}
        found[key] = before | sums
    return list(found.values())


EMPTY_NOTE: Json = {
    "object": KIND,
    "amount_shipping": 0,
    "customer_account": None,
    "customer_balance_transaction": None,
    "discount_amount": 0,
    "discount_amounts": [],
    "livemode": False,
    "out_of_band_amount": None,
    "post_payment_amount": 0,
    "pre_payment_amount": 0,
    "pretax_credit_amounts": [],
    "refunds": [],
    "shipping_cost": None,
    "status": "issued",
    "type": "pre_payment",
    "voided_at": None,
}
