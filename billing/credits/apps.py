from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "billing.credits"
    label = "billing_credits"
    verbose_name = "Credits and ledger"
