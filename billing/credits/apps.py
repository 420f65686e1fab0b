from django.apps import AppConfig


class CreditsConfig(AppConfig):
    name = "billing.credits"
    label = "billing_credits"
