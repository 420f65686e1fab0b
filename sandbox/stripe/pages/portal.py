"""The customer portal: plan, card, contact and invoices, as far as its configuration shows them (S3)."""

from sandbox.stripe.pages.checkout_lines import price_text
from sandbox.stripe.pages.fields import alert, field
from sandbox.stripe.pages.parts import (
    action_link,
    back,
    badge,
    button,
    invoice_badge,
    paragraph,
    section,
    table,
    text_link,
)
from sandbox.stripe.pages.portal_reading import (
    home,
    living_subscriptions,
    paying_card,
    period_end,
    plan_name,
    portal_session,
)
from sandbox.stripe.pages.rendering import NOTHING, Html, date_text, document, fill, joined, money
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

PATH = "/p/session/{session}"
SHOWN_INVOICES = 24
DONE = {
    "card": "Your card is saved. It pays your invoices from now on.",
    "canceled": "Your plan is cancelled.",
    "ending": "Your plan is cancelled and stays yours until its end.",
    "resumed": "Your plan goes on as before.",
    "contact": "Your details are saved.",
}
BADGES = {
    "active": ("Active", "good"),
    "trialing": ("Trial", "good"),
    "past_due": ("Past due", "bad"),
    "unpaid": ("Unpaid", "bad"),
    "incomplete": ("Incomplete", "warn"),
    "paused": ("Paused", ""),
}


@visit("GET", PATH)
def show(call: Call) -> Page:
    session, features = portal_session(call)
    done = text(call, "done")
    if session["flow"] and not done:
        return redirect(_start_of_flow(session))
    customer = call.state.store.get("customer", session["customer"])
    body = fill(
        "portal.html",
        back=back(session["return_url"], f"Return to {PLATFORM_NAME}"),
        merchant=PLATFORM_NAME,
        who=" · ".join(filter(None, (customer["name"], customer["email"]))),
        message=alert(DONE.get(done), "good"),
        sections=joined(_sections(call.state, session, features, customer)),
    )
    return document(f"Billing · {PLATFORM_NAME}", body)


def _start_of_flow(session: Json) -> str:
    flow = session["flow"]
    if flow["type"] == "subscription_cancel":
        return f"{home(session)}/subscriptions/{flow['subscription_cancel']['subscription']}/cancel"
    return f"{home(session)}/card"


def _sections(state: State, session: Json, features: Json, customer: Json) -> list[Html]:
    sections = [section("plan", "Current plan", _plans(state, session, features))]
    sections.append(section("card", "Payment method", _card(state, session, features)))
    if features["customer_update"]["enabled"]:
        sections.append(section("contact", "Billing information", _contact(session, features, customer)))
    if features["invoice_history"]["enabled"]:
        sections.append(section("invoices", "Invoices", _invoices(state, session)))
    return sections


def _plans(state: State, session: Json, features: Json) -> Html:
    plans = [_plan(state, session, features, each) for each in living_subscriptions(state, session["customer"])]
    return joined(plans) if plans else paragraph("You have no plan at present.", "soft")


def _plan(state: State, session: Json, features: Json, subscription: Json) -> Html:
    items = subscription["items"]["data"]
    lines = [_line(state, item, alone=len(items) == 1) for item in items]
    label, tone = BADGES[subscription["status"]]
    ends = subscription["cancel_at"]
    return fill(
        "portal_plan.html",
        name=plan_name(state, subscription),
        badge=badge("Ends soon", "warn") if ends else badge(label, tone),
        lines=joined(paragraph(line) for line in lines),
        actions=_plan_action(session, features, subscription),
        renewal=_renewal(subscription),
    )


def _line(state: State, item: Json, *, alone: bool) -> str:
    product = state.store.find("product", item["price"]["product"]) or {}
    price = price_text(item["price"], item.get("quantity"), product.get("unit_label"))
    return price if alone else f"{product.get('name', 'Item')}: {price}"


def _plan_action(session: Json, features: Json, subscription: Json) -> Html:
    if not features["subscription_cancel"]["enabled"]:
        return NOTHING
    address = f"{home(session)}/subscriptions/{subscription['id']}"
    if subscription["cancel_at"]:
        return button(f"{address}/resume", "Keep plan")
    return action_link(f"{address}/cancel", "Cancel plan")


def _renewal(subscription: Json) -> str:
    if subscription["cancel_at"]:
        return f"Cancelled. Everything stays yours until {date_text(subscription['cancel_at'])}."
    if subscription["status"] in {"past_due", "unpaid"}:
        return "The last payment failed. Update your card, then pay the open invoice below."
    if subscription["status"] == "trialing":
        return f"The trial ends on {date_text(subscription['trial_end'])}."
    return f"Renews on {date_text(period_end(subscription))}."


def _card(state: State, session: Json, features: Json) -> Html:
    method = paying_card(state, session["customer"])
    allowed = features["payment_method_update"]["enabled"]
    address = f"{home(session)}/card"
    if method is None:
        missing = paragraph("No card is saved.", "soft")
        return joined([missing, action_link(address, "Add a card")]) if allowed else missing
    card = method["card"]
    return fill(
        "portal_card.html",
        brand=card["brand"].capitalize(),
        last4=card["last4"],
        expiry=f"{card['exp_month']:02}/{card['exp_year']}",
        actions=action_link(address, "Update card") if allowed else NOTHING,
    )


def _contact(session: Json, features: Json, customer: Json) -> Html:
    allowed = [name for name in ("email", "name") if name in features["customer_update"]["allowed_updates"]]
    values = {"email": customer["email"] or "", "full_name": customer["name"] or ""}
    names = ["full_name" if name == "name" else name for name in allowed]
    fields = joined(field(name, values, {}) for name in names)
    return fill("portal_contact.html", action=f"{home(session)}/contact", fields=fields)


def _invoices(state: State, session: Json) -> Html:
    found = [each for each in state.store.where("invoice", customer=session["customer"]) if each["status"] != "draft"]
    if not found:
        return paragraph("No invoices yet.", "soft")
    rows = [_invoice_row(session, invoice) for invoice in found[:SHOWN_INVOICES]]
    return table("Invoices", ["Date", "Invoice", "Amount>", "Status", "Details"], rows)


def _invoice_row(session: Json, invoice: Json) -> list[str | Html]:
    words = "Pay" if invoice["status"] == "open" else "View"
    address = f"/invoices/{invoice['id']}?portal={session['id']}"
    return [
        date_text(invoice["created"]),
        invoice["number"] or "",
        money(invoice["total"], invoice["currency"]),
        invoice_badge(invoice["status"]),
        text_link(address, f"{words} {invoice['number'] or ''}"),
    ]
