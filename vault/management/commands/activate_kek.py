"""`manage.py activate_kek NAME`: wrap with a staged key from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from vault.errors import VaultError
from vault.services.activate_kek import activate_kek


class Command(BaseCommand):
    help = "Let a staged key-encryption key wrap from now on (K8); it first has to show that it works from here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            old = activate_kek(name=options["name"], at=now())
        except VaultError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['name']} is active.")
        if old is not None:
            self.stdout.write(f"{old.name} only unwraps from now on. Next: manage.py rewrap_data_keys")
