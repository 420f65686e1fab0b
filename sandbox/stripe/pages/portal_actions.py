"""What a customer does in the portal: another card, an end, a change of mind, new contact data (S3)."""

from sandbox.stripe.cards import Behaviour, Card
from sandbox.stripe.engine.methods import attach_method, make_default, new_method, remember_authentication
from sandbox.stripe.errors import StripeError
from sandbox.stripe.internal import perform
from sandbox.stripe.pages.authentication import Waiting, ask_for_authentication, purpose
from sandbox.stripe.pages.card_form import CardForm, read_card
from sandbox.stripe.pages.fields import alert
from sandbox.stripe.pages.parts import back
from sandbox.stripe.pages.portal_reading import (
    home,
    living_subscriptions,
    own_subscription,
    period_end,
    plan_name,
    portal_session,
    require,
)
from sandbox.stripe.pages.rendering import NOTHING, Html, date_text, document, fill, joined
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.portal.sessions import KIND as SESSION
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

CARD = "/p/session/{session}/card"
PLAN = "/p/session/{session}/subscriptions/{subscription}"
SUBSCRIPTION = "/v1/subscriptions/{subscription_exposed_id}"
FAILED = "Your bank could not confirm that it is you. Try again, or use another card."
REASON_TEXTS = {
    "customer_service": "Customer service",
    "low_quality": "Quality",
    "missing_features": "Something is missing",
    "other": "Another reason",
    "switched_service": "I use something else now",
    "too_complex": "Too complicated",
    "too_expensive": "Too expensive",
    "unused": "I do not use it",
}


@visit("GET", CARD)
def card_form(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "payment_method_update")
    form = CardForm(errors={"": FAILED} if text(call, "failed") else {})
    return _card_page(session, form)


@visit("POST", CARD)
def save_card(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "payment_method_update")
    form = read_card(call.parameters, call.state.clock.now())
    if form.card is None:
        return _card_page(session, form, status=400)
    if form.card.behaviour is Behaviour.NEEDS_AUTHENTICATION:
        waiting = Waiting("card", session["id"], form.card, 0, None)
        return ask_for_authentication(call.state, waiting, name=form.values["name"])
    if form.card.behaviour is Behaviour.DECLINED:
        form.refuse(form.card.decline())
        return _card_page(session, form, status=402)
    use_card(call.state, session["customer"], form.card, form.values["name"])
    return redirect(_after(session, "card"))


@purpose("card")
def after_authentication(state: State, waiting: Json, *, passed: bool) -> Page:
    session = state.store.get(SESSION, waiting["subject"])
    if not passed:
        return redirect(f"{home(session)}/card?failed=1")
    use_card(state, session["customer"], waiting["card"], waiting["name"], authenticated=True)
    return redirect(_after(session, "card"))


def use_card(state: State, customer_id: str, card: Card, name: str, *, authenticated: bool = False) -> None:
    """Keep the card as the one that pays everything of this customer from now on."""
    customer = state.store.get("customer", customer_id)
    method = new_method(state, card, billing_details={"name": name, "email": customer["email"]})
    if authenticated:
        remember_authentication(state, method)
    attach_method(state, method, customer)
    make_default(state, customer_id, method["id"])
    for subscription in living_subscriptions(state, customer_id):
        if subscription["default_payment_method"]:
            change = {"default_payment_method": method["id"]}
            perform(state, "POST", SUBSCRIPTION, change, subscription_exposed_id=subscription["id"])


@visit("GET", f"{PLAN}/cancel")
def ask_to_cancel(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "subscription_cancel")
    subscription = own_subscription(call, session)
    name = plan_name(call.state, subscription)
    at_end = features["subscription_cancel"]["mode"] == "at_period_end"
    until = f"It stays yours until {date_text(period_end(subscription))} and does not renew after that."
    body = fill(
        "portal_cancel.html",
        back=back(home(session), "Billing"),
        action=f"{home(session)}/subscriptions/{subscription['id']}/cancel",
        name=name,
        text=until if at_end else "It ends at once.",
        reasons=_reasons(features["subscription_cancel"]["cancellation_reason"]),
        home=f"{home(session)}?done=none",
    )
    return document(f"Cancel {name}", body)


@visit("POST", f"{PLAN}/cancel")
def cancel(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "subscription_cancel")
    subscription = own_subscription(call, session)
    how, reason = features["subscription_cancel"], text(call, "reason")
    details = {"cancellation_details": {"feedback": reason}} if reason in how["cancellation_reason"]["options"] else {}
    found = {"subscription_exposed_id": subscription["id"]}
    if how["mode"] == "at_period_end":
        perform(call.state, "POST", SUBSCRIPTION, details | {"cancel_at_period_end": True}, **found)
        return redirect(_after(session, "ending"))
    prorate = how["proration_behavior"] != "none"
    more = {"prorate": prorate, "invoice_now": how["proration_behavior"] == "always_invoice"}
    perform(call.state, "DELETE", SUBSCRIPTION, details | more, **found)
    return redirect(_after(session, "canceled"))


@visit("POST", f"{PLAN}/resume")
def resume(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "subscription_cancel")
    subscription = own_subscription(call, session)
    change: Json = {"cancel_at_period_end": False} if subscription["cancel_at_period_end"] else {"cancel_at": ""}
    perform(call.state, "POST", SUBSCRIPTION, change, subscription_exposed_id=subscription["id"])
    return redirect(_after(session, "resumed"))


@visit("POST", "/p/session/{session}/contact")
def save_contact(call: Call) -> Page:
    session, features = portal_session(call)
    require(features, "customer_update")
    allowed = features["customer_update"]["allowed_updates"]
    wanted = {"email": text(call, "email"), "name": text(call, "full_name")}
    change = {name: value for name, value in wanted.items() if name in allowed and value}
    if "email" in change and "@" not in change["email"].strip("@"):
        raise StripeError("That is no e-mail address.")
    perform(call.state, "POST", "/v1/customers/{customer}", change, customer=session["customer"])
    return redirect(_after(session, "contact"))


def _after(session: Json, done: str) -> str:
    """Where a customer goes next: a session that was opened for one thing may lead straight back."""
    after = (session["flow"] or {}).get("after_completion") or {}
    if after.get("type") == "redirect" and after.get("redirect"):
        return str(after["redirect"]["return_url"])
    return f"{home(session)}?done={done}"


def _card_page(session: Json, form: CardForm, *, status: int = 200) -> Page:
    body = fill(
        "portal_card_form.html",
        back=back(f"{home(session)}?done=none", "Billing"),
        action=f"{home(session)}/card",
        title="Update your card",
        text="This card pays your invoices from now on.",
        alert=alert(form.errors.get("")),
        card=form.inputs(),
        button="Save card",
        test_cards=fill("test_cards.html"),
    )
    return document("Update your card", body, status=status)


def _reasons(feature: Json) -> Html:
    if not feature["enabled"]:
        return NOTHING
    choices = joined(
        fill("choice.html", name="reason", value=option, text=REASON_TEXTS[option]) for option in feature["options"]
    )
    return fill("reasons.html", choices=choices)
