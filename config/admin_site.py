"""django-unfold's look of the staff admin."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _link(title: str, icon: str, view: str) -> dict[str, object]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}_changelist")}


def _icon(_request: HttpRequest) -> str:
    return static("console/icons/mark.svg")


def _dialogs(_request: HttpRequest) -> str:
    return static("staff/dialogs.css")


UNFOLD = {
    "SITE_TITLE": "Quaestor staff",
    "SITE_HEADER": "Quaestor",
    "SITE_SUBHEADER": "Staff",
    "SITE_SYMBOL": "account_balance",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "STYLES": [_dialogs],
    "SHOW_HISTORY": True,
    "BORDER_RADIUS": "8px",
    # The console's green, as unfold takes it: steps of one hue.
    "COLORS": {
        "primary": {
            "50": "oklch(0.97 0.02 160)",
            "100": "oklch(0.94 0.04 160)",
            "200": "oklch(0.88 0.07 160)",
            "300": "oklch(0.80 0.10 160)",
            "400": "oklch(0.70 0.12 160)",
            "500": "oklch(0.60 0.12 160)",
            "600": "oklch(0.50 0.11 160)",
            "700": "oklch(0.43 0.09 160)",
            "800": "oklch(0.36 0.07 160)",
            "900": "oklch(0.30 0.06 160)",
            "950": "oklch(0.22 0.04 160)",
        }
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Customers",
                "items": [
                    _link("Tenants", "domain", "tenants_tenant"),
                    _link("Users", "person", "tenants_user"),
                    _link("Second factors", "lock", "mfa_authenticator"),
                    _link("Invitations", "group_add", "tenants_invitation"),
                    _link("E-mails", "mail", "billing_notifications_notice"),
                    _link("Choices of e-mails", "unsubscribe", "billing_notifications_notificationpreference"),
                    _link("API keys", "key", "tenants_apikey"),
                    _link("Webhook endpoints", "webhook", "billing_notifications_webhookendpoint"),
                    _link("Webhook deliveries", "send", "billing_notifications_webhookdelivery"),
                    _link("Billing accounts", "account_balance_wallet", "billing_subscriptions_billingaccount"),
                    _link("Subscriptions", "autorenew", "billing_subscriptions_subscription"),
                    _link("Exceptions", "tune", "billing_subscriptions_entitlementoverride"),
                    _link("Audit log", "history", "tenants_auditevent"),
                ],
            },
            {
                "title": "Catalogue",
                "items": [
                    _link("Plans", "sell", "billing_plans_plan"),
                    _link("Plan versions", "layers", "billing_plans_planversion"),
                    _link("Models", "neurology", "billing_plans_model"),
                    _link("Model prices", "price_change", "billing_plans_modelprice"),
                ],
            },
            {
                "title": "Money and usage",
                "items": [
                    _link("Transfers", "swap_horiz", "billing_credits_transfer"),
                    _link("Ledger accounts", "menu_book", "billing_credits_ledgeraccount"),
                    _link("Credit grants", "redeem", "billing_credits_grant"),
                    _link("Purchases of credits", "add_card", "billing_credits_topup"),
                    _link("Creators", "storefront", "billing_credits_creator"),
                    _link("Sales", "shoppingmode", "billing_credits_sale"),
                    _link("Payouts", "payments", "billing_credits_payout"),
                    _link("Usage events", "monitoring", "billing_usage_usageevent"),
                    _link("Usage by period", "bar_chart", "billing_usage_periodrollup"),
                    _link("Counters", "speed", "billing_usage_counter"),
                    _link("Burn alerts", "notifications_active", "billing_usage_burnalert"),
                    _link("Authorizations", "verified", "billing_runtime_authorization"),
                    _link("Sessions", "forum", "billing_runtime_session"),
                ],
            },
            {
                "title": "Invoices",
                "items": [
                    _link("Invoices and credit notes", "receipt_long", "billing_invoices_invoice"),
                    _link("Payments of invoices", "payments", "billing_invoices_invoicepayment"),
                    _link("Billing cycles", "event_repeat", "billing_invoices_billingcycle"),
                    _link("Billing details", "contact_mail", "billing_invoices_billingdetails"),
                ],
            },
            {
                "title": "Provider keys",
                "items": [
                    _link("Platform keys", "key_vertical", "vault_platformkey"),
                    _link("Budgets", "savings", "billing_runtime_providerbudget"),
                    _link("All keys", "health_and_safety", "vault_credential"),
                    _link("Assignments", "account_tree", "vault_assignment"),
                    _link("Policies", "policy", "vault_keypolicy"),
                    _link("Health", "ecg_heart", "vault_healthchange"),
                    _link("Accesses", "visibility", "vault_credentialaccess"),
                    _link("Key-encryption keys", "encrypted", "vault_keyencryptionkey"),
                    _link("Data keys", "enhanced_encryption", "vault_datakey"),
                    _link("Allowed hosts", "dns", "vault_allowedhost"),
                ],
            },
            {
                "title": "Stripe",
                "items": [
                    _link("Events", "inbox", "billing_stripe_sync_inboxevent"),
                    _link("Drift", "compare_arrows", "billing_stripe_sync_driftfinding"),
                    _link("Meter reports", "speed", "billing_stripe_sync_meterreport"),
                    _link("Settled usage", "price_check", "billing_stripe_sync_invoicesettlement"),
                    _link("Customers at Stripe", "badge", "djstripe_customer"),
                    _link("Subscriptions at Stripe", "sync_alt", "djstripe_subscription"),
                    _link("Invoices at Stripe", "receipt_long", "djstripe_invoice"),
                    _link("Payments", "credit_card", "djstripe_charge"),
                    _link("Refunds", "undo", "djstripe_refund"),
                    _link("Disputes", "gavel", "djstripe_dispute"),
                    _link("Cards", "style", "djstripe_paymentmethod"),
                    _link("Checkout pages", "shopping_cart", "djstripe_session"),
                    _link("Products", "inventory_2", "djstripe_product"),
                    _link("Prices", "price_check", "djstripe_price"),
                    _link("Transfers to creators", "outbound", "djstripe_transfer"),
                    _link("Stripe accounts", "account_circle", "djstripe_account"),
                    _link("Webhook endpoints", "webhook", "djstripe_webhookendpoint"),
                ],
            },
        ],
    },
}
