"""Connected accounts: made incomplete, able to receive once somebody has filled in the onboarding page (M10)."""

from sandbox.stripe.errors import invalid, missing
from sandbox.stripe.ids import new_id
from sandbox.stripe.platform import DEFAULT_CURRENCY, PLATFORM_ACCOUNT
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, changed, merged_metadata

KIND = "account"
NEEDED = ["external_account", "tos_acceptance.date", "tos_acceptance.ip"]
DEFAULT_COUNTRY = "US"
COPIED = ("business_type", "email")


def find_account(state: State, account_id: str, param: str = "account") -> Json:
    """A connected account, or the API's 404."""
    found = state.store.find(KIND, account_id)
    if found is None or account_id == PLATFORM_ACCOUNT:
        raise missing(KIND, account_id, param)
    return found


def open_account(state: State, parameters: Json) -> Json:
    """Make an account that has everything of onboarding before it; 400 for a type and a controller together."""
    if "type" in parameters and "controller" in parameters:
        raise invalid("You may only specify one of these parameters: type, controller.", "type")
    capabilities = parameters.get("capabilities") or {"transfers": {"requested": True}}
    account: Json = {
        "id": new_id("acct"),
        "object": KIND,
        "business_profile": BUSINESS_PROFILE | (parameters.get("business_profile") or {}),
        "business_type": parameters.get("business_type"),
        "capabilities": {name: "inactive" for name, wish in capabilities.items() if wish.get("requested")},
        "charges_enabled": False,
        "controller": _controller(parameters),
        "country": parameters.get("country", DEFAULT_COUNTRY),
        "created": state.clock.now(),
        "default_currency": parameters.get("default_currency", DEFAULT_CURRENCY),
        "details_submitted": False,
        "email": parameters.get("email"),
        "external_accounts": {"object": "list", "data": [], "has_more": False, "url": ""},
        "future_requirements": _requirements([]),
        "groups": {"payments_pricing": None},
        "metadata": merged_metadata({}, parameters.get("metadata")),
        "payouts_enabled": False,
        "requirements": _requirements(NEEDED),
        "settings": SETTINGS,
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": _type(parameters),
    }
    account["external_accounts"]["url"] = f"/v1/accounts/{account['id']}/external_accounts"
    state.store.put(KIND, account)
    return account


def change_account(state: State, account: Json, parameters: Json) -> Json:
    """Set what was sent, and tell those who listen for the account."""
    before = dict(account)
    account |= {name: parameters[name] for name in COPIED if name in parameters}
    account["business_profile"] = account["business_profile"] | (parameters.get("business_profile") or {})
    account["metadata"] = merged_metadata(account["metadata"], parameters.get("metadata"))
    for name, wish in (parameters.get("capabilities") or {}).items():
        if wish.get("requested"):
            status = "active" if account["details_submitted"] else "inactive"
            account["capabilities"] = account["capabilities"] | {name: status}
    return _write(state, account, before)


def complete_onboarding(state: State, account: Json) -> Json:
    """Everything needed is there: charges, transfers and payouts work from now on."""
    before = dict(account)
    account |= {"charges_enabled": True, "details_submitted": True, "payouts_enabled": True}
    account["capabilities"] = dict.fromkeys(account["capabilities"], "active")
    account["requirements"] = _requirements([])
    account["tos_acceptance"] = {"date": state.clock.now(), "ip": "127.0.0.1", "user_agent": None}
    return _write(state, account, before)


def _write(state: State, account: Json, before: Json) -> Json:
    state.store.put(KIND, account)
    if previous := changed(before, account):
        state.emit("account.updated", account, previous, account=account["id"])
    return account


def _type(parameters: Json) -> str:
    """With a controller an account has the type that its dashboard amounts to."""
    if "controller" not in parameters:
        return str(parameters.get("type", "standard"))
    dashboard = ((parameters["controller"] or {}).get("stripe_dashboard") or {}).get("type", "full")
    return {"express": "express", "none": "none"}.get(dashboard, "standard")


def _controller(parameters: Json) -> Json:
    asked = parameters.get("controller") or {}
    kind = _type(parameters)
    payer = (asked.get("fees") or {}).get("payer", "account" if kind == "standard" else "application_express")
    ours = "stripe" if kind == "standard" else "application"
    dashboard = {"express": "express", "standard": "full"}.get(kind, "none")
    return {
        "fees": {"payer": payer},
        "is_controller": True,
        "losses": {"payments": (asked.get("losses") or {}).get("payments", ours)},
        "requirement_collection": asked.get("requirement_collection", "stripe"),
        "stripe_dashboard": {"type": (asked.get("stripe_dashboard") or {}).get("type", dashboard)},
        "type": "application",
    }


def _requirements(due: list[str]) -> Json:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": "requirements.past_due" if due else None,
        "errors": [],
        "eventually_due": due,
        "past_due": due,
        "pending_verification": [],
    }


BUSINESS_PROFILE: Json = {
    "annual_revenue": None,
    "estimated_worker_count": None,
    "mcc": None,
    "minority_owned_business_designation": None,
    "name": None,
    "product_description": None,
    "support_address": None,
    "support_email": None,
    "support_phone": None,
    "support_url": None,
    "url": None,
}
SETTINGS: Json = {
    "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
    "card_payments": {
        "decline_on": {"avs_failure": False, "cvc_failure": False},
        "statement_descriptor_prefix": None,
        "statement_descriptor_prefix_kana": None,
        "statement_descriptor_prefix_kanji": None,
    },
    "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
    "payments": {
        "statement_descriptor": None,
        "statement_descriptor_kana": None,
        "statement_descriptor_kanji": None,
    },
    "payouts": {
        "debit_negative_balances": True,
        "schedule": {"delay_days": 2, "interval": "daily"},
        "statement_descriptor": None,
    },
}
