"""What the sandbox holds, as tables: the newest of each kind."""

from sandbox.stripe.pages.parts import badge, invoice_badge, paragraph, section, table, text_link
from sandbox.stripe.pages.portal import BADGES
from sandbox.stripe.pages.portal_reading import period_end, plan_name
from sandbox.stripe.pages.rendering import Html, date_text, fill, joined, money, time_text
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

SHOWN = 10
Rows = list[list[str | Html]]


def tables(state: State) -> Html:
    return joined([_customers(state), _subscriptions(state), _invoices(state), _events(state), _deliveries(state)])


def _wide(anchor: str, title: str, columns: list[str], rows: Rows) -> Html:
    body = table(title, columns, rows) if rows else paragraph("Nothing yet.", "soft")
    return fill("span.html", body=section(anchor, title, body))


def _customers(state: State) -> Html:
    rows: Rows = [
        [each["email"] or "", each["name"] or "", each["id"], date_text(each["created"])]
        for each in state.store.all("customer")[:SHOWN]
    ]
    return _wide("customers", "Customers", ["E-mail", "Name", "Id", "Since"], rows)


def _subscriptions(state: State) -> Html:
    rows: Rows = [_subscription(state, each) for each in state.store.all("subscription")[:SHOWN]]
    return _wide("subscriptions", "Subscriptions", ["Plan", "Customer", "Status", "Period ends", "Id"], rows)


def _subscription(state: State, subscription: Json) -> list[str | Html]:
    customer = state.store.find("customer", subscription["customer"]) or {}
    label, tone = BADGES.get(subscription["status"], (subscription["status"].capitalize(), ""))
    return [
        plan_name(state, subscription),
        customer.get("email") or subscription["customer"],
        badge("Ends soon", "warn") if subscription["cancel_at"] and label == "Active" else badge(label, tone),
        date_text(period_end(subscription)),
        subscription["id"],
    ]


def _invoices(state: State) -> Html:
    rows: Rows = [
        [
            each["number"] or "",
            each["customer_email"] or each["customer"],
            money(each["total"], each["currency"]),
            invoice_badge(each["status"]),
            text_link(f"/invoices/{each['id']}", "Open") if each["status"] != "draft" else "",
        ]
        for each in state.store.all("invoice")[:SHOWN]
    ]
    return _wide("invoices", "Invoices", ["Number", "Customer", "Total>", "Status", "Page"], rows)


def _events(state: State) -> Html:
    rows: Rows = [
        [each["type"], str(each["data"]["object"].get("id", "")), time_text(each["created"])]
        for each in state.store.all("event")[:SHOWN]
    ]
    return _wide("events", "Events", ["Type", "Object", "At (UTC)"], rows)


def _deliveries(state: State) -> Html:
    newest = state.courier.deliveries()[-SHOWN:][::-1]
    rows: Rows = [[each.event["type"], each.endpoint["url"], each.state, str(each.tries)] for each in newest]
    return _wide("deliveries", "Deliveries", ["Event", "To", "State", "Tries>"], rows)
