from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "billing.plans"
    label = "billing_plans"
    verbose_name = "Catalogue"
