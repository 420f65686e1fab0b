"""Portal configurations: which parts of the portal a customer sees (S3)."""

from sandbox.stripe.errors import StripeError, invalid
from sandbox.stripe.ids import new_id
from sandbox.stripe.state import State
from sandbox.stripe.values import Json, apply, merged_metadata

KIND = "billing_portal.configuration"
REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
NO_DEFAULT = (
    "No configuration provided, and there is no default configuration in test mode. Provide one, or save "
    "the portal's settings: on the sandbox's own page by its button."
)
EVERYTHING: Json = {
    "customer_update": {"enabled": True, "allowed_updates": ["email", "name"]},
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
}


def new_configuration(state: State, parameters: Json, *, is_default: bool = False) -> Json:
    """Store a configuration; what `features` does not name is off."""
    now = state.clock.now()
    configuration: Json = {
        "id": new_id("bpc"),
        "object": KIND,
        "active": True,
        "application": None,
        "business_profile": dict.fromkeys(("headline", "privacy_policy_url", "terms_of_service_url")),
        "created": now,
        "default_return_url": None,
        "features": _features(NO_FEATURES, {}),
        "is_default": is_default,
        "livemode": False,
        "login_page": {"enabled": False, "url": None},
        "metadata": {},
        "name": None,
        "updated": now,
    }
    _set(configuration, parameters)
    state.store.put(KIND, configuration)
    state.emit("billing_portal.configuration.created", configuration)
    return configuration


def change_configuration(state: State, configuration: Json, parameters: Json) -> Json:
    if configuration["is_default"] and parameters.get("active") is False:
        raise invalid("The default configuration cannot be deactivated.", "active")
    _set(configuration, parameters)
    configuration["updated"] = state.clock.now()
    state.store.put(KIND, configuration)
    state.emit("billing_portal.configuration.updated", configuration)
    return configuration


def default_configuration(state: State) -> Json:
    """The one that the account's owner saved; 400 while there is none, as in a new Stripe account."""
    found = state.store.where(KIND, is_default=True)
    if not found:
        raise StripeError(NO_DEFAULT)
    return found[0]


def _set(configuration: Json, parameters: Json) -> None:
    if (parameters.get("login_page") or {}).get("enabled"):
        raise invalid("The sandbox's portal has no login page.", "login_page")
    apply(configuration, parameters, ("active", "default_return_url", "name"))
    for key, value in (parameters.get("business_profile") or {}).items():
        configuration["business_profile"][key] = value or None
    configuration["features"] = _features(configuration["features"], parameters.get("features") or {})
    configuration["metadata"] = merged_metadata(configuration["metadata"], parameters.get("metadata"))


def _features(present: Json, wanted: Json) -> Json:
    """The features after a change; an empty string empties a list."""
    features = {name: dict(feature) for name, feature in present.items()}
    for name, change in wanted.items():
        for key, value in change.items():
            features[name][key] = [] if value == "" and key in LISTS else value
    reason = features["subscription_cancel"]["cancellation_reason"]
    if reason["enabled"] and not reason.get("options"):
        features["subscription_cancel"]["cancellation_reason"] = {"enabled": True, "options": REASONS}
    return features


LISTS = {"allowed_updates", "default_allowed_updates", "products"}
NO_FEATURES: Json = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": REASONS},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
