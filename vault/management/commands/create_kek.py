"""`manage.py create_kek NAME --backend …`: make a key-encryption key known, or a new file with one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from vault.errors import VaultError
from vault.models import KeyEncryptionKey
from vault.services.create_kek import create_kek


class Command(BaseCommand):
    help = "Make a key-encryption key known to the vault (K1): the first is active at once, later ones are staged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="small letters, digits, dashes; never used again")
        parser.add_argument("--backend", choices=KeyEncryptionKey.Backend.values, default="local")
        parser.add_argument(
            "--location",
            default="",
            help="file below VAULT_KEK_DIR (without: a new one is made), key ARN, resource name, or mount/key",
        )
        parser.add_argument("--if-none", action="store_true", help="do nothing where a key is active")

    def handle(self, *_args: Any, **options: Any) -> None:
        active = KeyEncryptionKey.objects.filter(state=KeyEncryptionKey.State.ACTIVE).first()
        if options["if_none"] and active is not None:
            self.stdout.write(f"{active.name} is active; nothing to do.")
            return
        try:
            kek = create_kek(name=options["name"], backend=options["backend"], location=options["location"], at=now())
        except VaultError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{kek.name} is {kek.state}; it is {kek.get_backend_display()}: {kek.location}")
        if kek.backend == KeyEncryptionKey.Backend.LOCAL:
            self.stdout.write("Keep a copy of that file apart from the backups of the database (docs/vault.md).")
        if kek.state == KeyEncryptionKey.State.STAGED:
            self.stdout.write(f"When every process can reach it: manage.py activate_kek {kek.name}")
