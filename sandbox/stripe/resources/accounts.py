"""Connected accounts: /v1/accounts."""

from sandbox.stripe.connect.accounts import KIND, change_account, find_account, open_account
from sandbox.stripe.listing import listed
from sandbox.stripe.platform import PLATFORM_ACCOUNT
from sandbox.stripe.resources.account import platform_account
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json

PATH = "/v1/accounts"


@route("POST", PATH)
def create(call: Call) -> Json:
    return open_account(call.state, call.parameters)


@route("GET", PATH)
def list_accounts(call: Call) -> Json:
    accounts = [account for account in call.state.store.all(KIND) if account["id"] != PLATFORM_ACCOUNT]
    return listed(call, accounts, PATH)


@route("GET", f"{PATH}/{{account}}")
def retrieve(call: Call) -> Json:
    """A connected account, or the platform's own."""
    if call.arguments["account"] == PLATFORM_ACCOUNT:
        return platform_account()
    return find_account(call.state, call.arguments["account"])


@route("POST", f"{PATH}/{{account}}")
def update(call: Call) -> Json:
    return change_account(call.state, find_account(call.state, call.arguments["account"]), call.parameters)


@route("DELETE", f"{PATH}/{{account}}")
def delete(call: Call) -> Json:
    account = find_account(call.state, call.arguments["account"])
    call.state.store.delete(KIND, account["id"])
    return {"id": account["id"], "object": KIND, "deleted": True}
