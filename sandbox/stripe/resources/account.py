"""The account behind the key."""

from sandbox.stripe.platform import DEFAULT_CURRENCY, PLATFORM_ACCOUNT, PLATFORM_EMAIL, PLATFORM_NAME
from sandbox.stripe.routing import Call, route
from sandbox.stripe.values import Json


@route("GET", "/v1/account")
def retrieve(call: Call) -> Json:
    """The platform, or with a Stripe-Account header the connected account."""
    if call.account is not None:
        return call.state.store.get("account", call.account)
    return platform_account()


def platform_account() -> Json:
    return {
        "id": PLATFORM_ACCOUNT,
        "object": "account",
        "business_profile": {"name": PLATFORM_NAME, "support_email": PLATFORM_EMAIL, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": DEFAULT_CURRENCY,
        "details_submitted": True,
        "email": PLATFORM_EMAIL,
        "metadata": {},
        "payouts_enabled": True,
        "settings": {
            "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
            "card_payments": {"statement_descriptor_prefix": None},
            "dashboard": {"display_name": PLATFORM_NAME, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": None},
        },
        "type": "standard",
    }
