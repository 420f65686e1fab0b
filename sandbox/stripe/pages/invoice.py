"""The hosted invoice: its lines, its status and, while it is open, a way to pay it."""

from sandbox.stripe.cards import Behaviour
from sandbox.stripe.engine.invoicing import intent_of
from sandbox.stripe.engine.methods import attach_method, new_method
from sandbox.stripe.engine.payments import pay_invoice
from sandbox.stripe.errors import StripeError, missing
from sandbox.stripe.pages.card_form import CardForm, read_card
from sandbox.stripe.pages.fields import alert
from sandbox.stripe.pages.parts import back, facts, invoice_badge, table
from sandbox.stripe.pages.portal_reading import paying_card
from sandbox.stripe.pages.rendering import NOTHING, Html, date_text, document, fill, money
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.portal.sessions import KIND as PORTAL
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

PATH = "/invoices/{invoice}"
PAYABLE = {"open", "uncollectible"}
FAILED = "Your bank could not confirm that it is you. Try again, or use another card."


@visit("GET", PATH)
def show(call: Call) -> Page:
    invoice = _find(call)
    return _page(call, invoice, CardForm(errors={"": FAILED} if text(call, "failed") else {}))


@visit("GET", f"{PATH}/pdf")
def show_for_printing(call: Call) -> Page:
    """The page prints well: the sandbox makes no other document."""
    return redirect(f"/invoices/{_find(call)['id']}")


@visit("POST", PATH)
def pay(call: Call) -> Page:
    """With the saved card or a new one; a second press finds the invoice paid and shows that."""
    invoice = _find(call)
    if invoice["status"] not in PAYABLE:
        return redirect(_address(call, invoice))
    if text(call, "saved"):
        return _pay(call, invoice, CardForm(), None)
    form = read_card(call.parameters, call.state.clock.now())
    if form.card is None:
        return _page(call, invoice, form, status=400)
    if form.card.behaviour is Behaviour.DECLINED:
        form.refuse(form.card.decline())
        return _page(call, invoice, form, status=402)
    method = new_method(call.state, form.card, billing_details={"name": form.values["name"]})
    attach_method(call.state, method, call.state.store.get("customer", invoice["customer"]))
    return _pay(call, invoice, form, method["id"])


def _pay(call: Call, invoice: Json, form: CardForm, method: str | None) -> Page:
    try:
        invoice = pay_invoice(call.state, invoice, payment_method=method)
    except StripeError as error:
        form.refuse(error)
        return _page(call, call.state.store.get("invoice", invoice["id"]), form, status=402)
    if invoice["status"] == "paid":
        return redirect(_address(call, invoice))
    intent = intent_of(call.state, invoice)
    return redirect(f"/3ds/{intent['id']}" if intent else _address(call, invoice))


def _find(call: Call) -> Json:
    """A finalized invoice; drafts are nobody's business yet."""
    invoice = call.state.store.get("invoice", call.arguments["invoice"], "invoice")
    if invoice["status"] == "draft":
        raise missing("invoice", invoice["id"])
    return invoice


def _address(call: Call, invoice: Json) -> str:
    portal = text(call, "portal")
    return f"/invoices/{invoice['id']}" + (f"?portal={portal}" if _is_portal_of(call.state, portal, invoice) else "")


def _is_portal_of(state: State, portal: str, invoice: Json) -> bool:
    session = state.store.find(PORTAL, portal) if portal else None
    return session is not None and session["customer"] == invoice["customer"]


def _page(call: Call, invoice: Json, form: CardForm, *, status: int = 200) -> Page:
    portal = text(call, "portal")
    home = f"/p/session/{portal}?done=none" if _is_portal_of(call.state, portal, invoice) else None
    is_payable = invoice["status"] in PAYABLE and invoice["amount_remaining"] > 0
    body = fill(
        "invoice.html",
        back=back(home, "Billing"),
        merchant=PLATFORM_NAME,
        number=invoice["number"] or "",
        badge=invoice_badge(invoice["status"]),
        amount=money(invoice["total"], invoice["currency"]),
        facts=_facts(invoice),
        message=alert("This invoice is paid. Thank you.", "good") if invoice["status"] == "paid" else NOTHING,
        lines=_lines(invoice),
        totals=_totals(invoice),
        payment=_payment(call, invoice, form) if is_payable else NOTHING,
    )
    return document(f"Invoice {invoice['number'] or ''} · {PLATFORM_NAME}", body, status=status)


def _facts(invoice: Json) -> Html:
    rows: list[tuple[str, str | Html]] = [("Issued", date_text(invoice["effective_at"] or invoice["created"]))]
    if invoice["customer_email"]:
        rows.insert(0, ("Billed to", invoice["customer_email"]))
    if invoice["next_payment_attempt"] and invoice["status"] == "open":
        rows.append(("Next attempt", date_text(invoice["next_payment_attempt"])))
    return facts(rows)


def _lines(invoice: Json) -> Html:
    rows: list[list[str | Html]] = [
        [
            line["description"] or "",
            f"{date_text(line['period']['start'])} – {date_text(line['period']['end'])}",
            "" if line["quantity"] is None else str(line["quantity"]),
            money(line["amount"], line["currency"]),
        ]
        for line in invoice["lines"]["data"]
    ]
    return table("Lines", ["Description", "Period", "Quantity>", "Amount>"], rows)


def _totals(invoice: Json) -> Html:
    currency = invoice["currency"]
    rows: list[tuple[str, str | Html]] = [
        (f"{rate['display_name']} {rate['percentage']:g} %", money(tax["amount"], currency))
        for rate, tax in zip(invoice["default_tax_rates"], invoice["total_taxes"], strict=True)
    ]
    rows.append(("Total", money(invoice["total"], currency)))
    if used := invoice["total"] - invoice["amount_due"]:
        rows.append(("From or to your credit", money(-used, currency)))
    rows += [("Paid", money(invoice["amount_paid"], currency))]
    rows += [("Still to pay", money(invoice["amount_remaining"], currency))]
    return facts(rows)


def _payment(call: Call, invoice: Json, form: CardForm) -> Html:
    amount = money(invoice["amount_remaining"], invoice["currency"])
    action = _address(call, invoice)
    return fill(
        "invoice_payment.html",
        amount=amount,
        alert=alert(form.errors.get("")),
        saved=_saved(call.state, invoice, action, amount),
        action=action,
        card=form.inputs(),
        button=f"Pay {amount}",
        test_cards=fill("test_cards.html"),
    )


def _saved(state: State, invoice: Json, action: str, amount: str) -> Html:
    method = paying_card(state, invoice["customer"])
    if method is None:
        return NOTHING
    card = method["card"]
    words = f"{card['brand'].capitalize()} •••• {card['last4']}"
    return fill("invoice_saved.html", action=action, card=words, button=f"Pay {amount} with this card")
