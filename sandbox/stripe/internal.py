"""An operation of the API, called from inside: pages do nothing that a caller could not do."""

from sandbox.stripe.routing import API, Call
from sandbox.stripe.state import State
from sandbox.stripe.values import Json


def perform(state: State, method: str, template: str, parameters: Json | None = None, **arguments: str) -> Json:
    """Run the handler of a path template; its failures are the API's own (StripeError)."""
    path = template.format(**arguments)
    call = Call(method=method, path=path, arguments=arguments, parameters=parameters or {}, state=state)
    return API[method, template](call)
