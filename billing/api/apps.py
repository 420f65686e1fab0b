from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "billing.api"
    label = "billing_api"
    verbose_name = "REST API"
