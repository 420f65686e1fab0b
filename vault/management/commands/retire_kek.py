"""`manage.py retire_kek NAME`: end a key-encryption key that nothing hangs on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from vault.errors import VaultError
from vault.services.retire_kek import retire_kek


class Command(BaseCommand):
    help = "End a key-encryption key for good (K8); the database refuses while a data key is wrapped by it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            kek = retire_kek(name=options["name"], at=now())
        except VaultError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{kek.name} is retired. The key itself is untouched: {kek.backend} {kek.location}")
        self.stdout.write("Destroy it once no backup is left from before today: those need it to be read.")
