from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "billing.console"
    label = "billing_console"
    verbose_name = "Console"
