"""`manage.py rewrap_data_keys`: wrap every data key with the active key-encryption key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.errors import VaultError
from vault.services.rewrap_data_keys import Rewrapping, rewrap_data_keys


class Command(BaseCommand):
    help = "Wrap every data key with the active key-encryption key (K8); may be stopped, repeated, run twice at once."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            result = rewrap_data_keys(tell=self._tell)
        except VaultError as error:
            raise CommandError(f"{error} What is done stays; run this again.") from None
        for data_key_id in result.unreadable:
            self.stderr.write(f"Data key {data_key_id} does not unwrap; restore it from a backup (docs/vault.md).")
        self._tell(result)
        if result.left:
            raise CommandError(f"{result.left} data keys are still wrapped by another key: run this again.")
        self.stdout.write("Every data key is wrapped by the active key. Next: manage.py check_vault, then retire_kek.")

    def _tell(self, so_far: Rewrapping) -> None:
        self.stdout.write(f"{so_far.done} wrapped anew, {so_far.left} left")
        self.stdout.flush()
