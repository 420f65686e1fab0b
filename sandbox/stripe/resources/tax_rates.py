"""Tax rates, and which of them is in force."""

from decimal import Decimal, InvalidOperation

from sandbox.stripe.engine.taxes import FACT
from sandbox.stripe.errors import invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import listed
from sandbox.stripe.routing import Call, control, route
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, public

KIND = "tax_rate"
URL = "/v1/tax_rates"


@route("GET", "/v1/tax_rates/{tax_rate}")
def retrieve(call: Call) -> Json:
    return call.state.store.get(KIND, call.arguments["tax_rate"], "tax_rate")


@route("GET", "/v1/tax_rates")
def list_rates(call: Call) -> Json:
    return listed(call, call.state.store.all(KIND), URL)


@control("POST", "/_sandbox/tax")
def choose_rate(call: Call) -> Json:
    """{"percent": "19", "name": "VAT", "country": "DE"}: what subscriptions are taxed at from now on; {} ends it.

    {"percents": {"DE": "19", "FR": "20"}, "name": "VAT"} follows the country of the customer's address; in others
    nothing is taxed.
    """
    if not call.parameters:
        with call.state.transaction():
            call.state.store.set_fact(FACT, None)
        return {"tax_rate": None}
    if "percents" in call.parameters:
        return _choose_by_country(call)
    percent = _percent(call.parameters.get("percent"))
    with call.state.transaction():
        rate = _make(call.state, percent, call.parameters)
        call.state.store.set_fact(FACT, rate["id"])
    shown: Json = public(rate)
    return {"tax_rate": shown}


def _choose_by_country(call: Call) -> Json:
    given = call.parameters["percents"]
    if not isinstance(given, dict):
        raise invalid("percents are percentages by country.", "percents")
    percents = {str(country): _percent(percent) for country, percent in given.items()}
    with call.state.transaction():
        rates = {
            country: _make(call.state, percent, call.parameters | {"country": country})
            for country, percent in percents.items()
        }
        call.state.store.set_fact(FACT, {country: rate["id"] for country, rate in rates.items()})
    shown: Json = public({"tax_rates": rates})
    return shown


def _percent(given: object) -> Decimal:
    try:
        percent = Decimal(str(given))
    except InvalidOperation:
        percent = Decimal(-1)
    if not (percent.is_finite() and 0 <= percent <= 100):
        raise invalid("percent is a number from 0 to 100, as a text.", "percent")
    return percent


def _make(state: State, percent: Decimal, given: Json) -> Json:
    return state.store.put(
        KIND,
        {
            "id": new_id("txr"),
            "object": KIND,
            "active": True,
            "country": given.get("country"),
            "created": state.clock.now(),
            "description": None,
            "display_name": str(given.get("name") or "Tax"),
            "effective_percentage": float(percent),
            "flat_amount": None,
            "inclusive": False,
            "jurisdiction": given.get("country"),
            "jurisdiction_level": "country",
            "livemode": False,
            "metadata": {},
            "percentage": float(percent),
            "rate_type": "percentage",
            "state": None,
            "tax_type": None,
            "_percent": f"{percent:f}",
        },
    )
