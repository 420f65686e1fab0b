from django.apps import AppConfig


class StripeSyncConfig(AppConfig):
    name = "billing.stripe_sync"
    label = "billing_stripe_sync"
    verbose_name = "Stripe"
