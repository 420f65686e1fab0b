"""The hosted Checkout page: what is bought, who buys, with which card (S2)."""

from sandbox.stripe.checkout.completing import Buyer, complete
from sandbox.stripe.checkout.sessions import KIND, end_session
from sandbox.stripe.errors import StripeError
from sandbox.stripe.pages.authentication import Waiting, ask_for_authentication, purpose
from sandbox.stripe.pages.card_form import CardForm, read_card
from sandbox.stripe.pages.checkout_lines import back_link, heading, line, price, total
from sandbox.stripe.pages.fields import alert, field
from sandbox.stripe.pages.rendering import NOTHING, Html, document, fill, joined, link_to, money, notice
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.platform import PLATFORM_NAME
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.state import State
from sandbox.stripe.values import Json

PATH = "/c/pay/{session}"
PLACEHOLDER = "{CHECKOUT_SESSION_ID}"
FAILED = "Your bank could not confirm that it is you. Try again, or use another card."


@visit("GET", PATH)
def show(call: Call) -> Page:
    session = _current(call.state, call.arguments["session"])
    if session["status"] != "open":
        return _closed(session)
    form = CardForm({"email": (session["customer_details"] or {}).get("email") or ""})
    if text(call, "failed"):
        form.errors[""] = FAILED
    return _page(session, form)


@visit("POST", PATH)
def pay(call: Call) -> Page:
    """A second press of the button finds the session complete and goes where the first one went."""
    session = _current(call.state, call.arguments["session"])
    if session["status"] == "complete":
        return redirect(success_address(session))
    if session["status"] != "open":
        return _closed(session)
    form = read_card(call.parameters, call.state.clock.now())
    form.values["email"] = (session["customer_details"] or {}).get("email") or form.values["email"]
    if "@" not in form.values["email"].strip("@"):
        form.errors["email"] = "Enter your e-mail address."
    if form.card is None or form.errors:
        return _page(session, form, status=400)
    buyer = Buyer(form.card, form.values["email"], form.values["name"])
    if buyer.must_authenticate:
        waiting = Waiting("checkout", session["id"], buyer.card, session["amount_total"] or 0, session["currency"])
        return ask_for_authentication(call.state, waiting, email=buyer.email, name=buyer.name)
    try:
        return redirect(success_address(complete(call.state, session["id"], buyer)))
    except StripeError as error:
        form.refuse(error)
        return _page(session, form, status=402)


@purpose("checkout")
def after_authentication(state: State, waiting: Json, *, passed: bool) -> Page:
    """Back from 3-D Secure: pay, or show the form again."""
    session = _current(state, waiting["subject"])
    if session["status"] == "complete":
        return redirect(success_address(session))
    if not passed or session["status"] != "open":
        return redirect(f"/c/pay/{session['id']}?failed=1")
    buyer = Buyer(waiting["card"], waiting["email"], waiting["name"], authenticated=True)
    return redirect(success_address(complete(state, session["id"], buyer)))


def success_address(session: Json) -> str:
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])


def _current(state: State, session_id: str) -> Json:
    """The session, ended first if its time is up."""
    session = state.store.get(KIND, session_id, "session")
    if session["status"] == "open" and session["expires_at"] <= state.clock.now():
        return end_session(state, session)
    return session


def _closed(session: Json) -> Page:
    if session["status"] == "complete":
        link = link_to(success_address(session), f"Return to {PLATFORM_NAME}")
        return notice("You're all set", "This checkout is complete. There is nothing more to pay here.", link=link)
    link = link_to(session["cancel_url"], f"Return to {PLATFORM_NAME}") if session["cancel_url"] else NOTHING
    words = "This checkout has expired and nothing was charged. Start again from where you came."
    return notice("This page has expired", words, status=410, link=link)


def _page(session: Json, form: CardForm, *, status: int = 200) -> Page:
    known = (session["customer_details"] or {}).get("email")
    body = fill(
        "checkout.html",
        back=back_link(session),
        merchant=PLATFORM_NAME,
        heading=heading(session),
        price=price(session),
        lines=joined(line(item) for item in session["_items"]),
        total=total(session),
        action=f"/c/pay/{session['id']}",
        payment_heading="Pay with card" if session["amount_total"] else "Save a card",
        alert=alert(form.errors.get("")),
        email=field("email", form.values, form.errors, readonly=known is not None),
        card=form.inputs(),
        terms=_terms(session),
        button=_button(session),
        test_cards=fill("test_cards.html"),
    )
    return document(f"{heading(session)} · {PLATFORM_NAME}", body, status=status)


def _button(session: Json) -> str:
    if session["mode"] == "setup":
        return "Save card"
    if session["mode"] == "subscription":
        return "Subscribe" if session["amount_total"] else "Start subscription"
    return f"Pay {money(session['amount_total'], session['currency'])}"


def _terms(session: Json) -> Html:
    if session["mode"] != "subscription":
        return NOTHING
    words = f"You allow {PLATFORM_NAME} to charge this card at each renewal, until you cancel."
    return fill("terms.html", text=words)
