"""The sandbox's own page: its clock, its webhooks, and what it holds."""

from calendar import monthrange
from datetime import UTC, datetime

from sandbox.stripe.errors import invalid
from sandbox.stripe.events import MODES, set_webhook_mode, webhook_mode
from sandbox.stripe.pages.fields import alert
from sandbox.stripe.pages.home_tables import tables
from sandbox.stripe.pages.parts import button
from sandbox.stripe.pages.rendering import NOTHING, Html, document, fill, joined, time_text
from sandbox.stripe.pages.serving import redirect, text, visit
from sandbox.stripe.portal.configurations import EVERYTHING, KIND, new_configuration
from sandbox.stripe.routing import Call, Page
from sandbox.stripe.specification import API_VERSION
from sandbox.stripe.state import State

DAY = 86_400
MODE_TEXTS = {
    "normal": "At once",
    "late": "Late",
    "twice": "Each one twice",
    "shuffled": "Out of order",
    "drop": "One in ten is lost",
    "held": "Held back",
}
DONE = {
    "clock": "The clock has moved.",
    "webhooks": "The mode is set.",
    "portal": "The portal has its default settings.",
}


@visit("GET", "/")
def show(call: Call) -> Page:
    state = call.state
    body = fill(
        "home.html",
        version=API_VERSION,
        portal=_portal(state),
        message=fill("span.html", body=alert(DONE[done], "good")) if (done := text(call, "done")) in DONE else NOTHING,
        now=time_text(state.clock.now()),
        offset=_offset(state.clock.offset),
        modes=_modes(state),
        waiting=_waiting(state),
        tables=tables(state),
    )
    return document("Stripe sandbox", body)


@visit("POST", "/clock")
def move_clock(call: Call) -> Page:
    """Some days on, or one calendar month."""
    clock, wish = call.state.clock, text(call, "days")
    if wish not in {"1", "7", "month"}:
        raise invalid("The clock moves by a day, a week or a month.", "days")
    to = month_later(clock.target()) if wish == "month" else clock.target() + int(wish) * DAY
    clock.move(call.state, to=to)
    return redirect("/?done=clock")


@visit("POST", "/webhooks")
def choose_mode(call: Call) -> Page:
    mode = text(call, "mode")
    if mode not in MODES:
        raise invalid(f"mode is one of {', '.join(MODES)}.", "mode")
    set_webhook_mode(call.state.store, mode, delay_seconds=None, seed=0)
    call.state.courier.wake()
    return redirect("/?done=webhooks")


@visit("POST", "/portal-settings")
def save_portal_settings(call: Call) -> Page:
    """What Stripe's dashboard does on saving the portal's settings for the first time."""
    if not call.state.store.where(KIND, is_default=True):
        new_configuration(call.state, {"features": EVERYTHING}, is_default=True)
    return redirect("/?done=portal")


def month_later(seconds: int) -> int:
    """The same time a month on; a day that the month lacks becomes its last."""
    now = datetime.fromtimestamp(seconds, UTC)
    year, month = now.year + now.month // 12, now.month % 12 + 1
    day = min(now.day, monthrange(year, month)[1])
    return int(now.replace(year=year, month=month, day=day).timestamp())


def _offset(seconds: int) -> str:
    days, rest = divmod(seconds, DAY)
    if not seconds:
        return "It shows real time."
    return f"It is {days} days ahead of real time." if days else f"It is {rest} seconds ahead of real time."


def _modes(state: State) -> Html:
    chosen = webhook_mode(state.store)["mode"]
    return joined(
        fill("option.html", value=mode, text=MODE_TEXTS[mode], selected=Html(" selected" if mode == chosen else ""))
        for mode in MODES
    )


def _waiting(state: State) -> str:
    waiting = sum(delivery.state in {"pending", "held"} for delivery in state.courier.deliveries())
    endpoints = len(state.store.all("webhook_endpoint"))
    return f"{endpoints} endpoint{'' if endpoints == 1 else 's'}, {waiting} deliveries waiting."


def _portal(state: State) -> Html:
    if state.store.where(KIND, is_default=True):
        return NOTHING
    return button("/portal-settings", "Save default portal settings")
