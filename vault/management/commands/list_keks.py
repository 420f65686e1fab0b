"""`manage.py list_keks`: key-encryption keys, their state and what hangs on them."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count, Q

from vault.models import KeyEncryptionKey


class Command(BaseCommand):
    help = "List key-encryption keys with their state and the number of data keys that each wraps (K8)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        wraps = Count("data_keys", filter=Q(data_keys__destroyed_at=None))
        keks = list(KeyEncryptionKey.objects.annotate(wraps=wraps).order_by("created_at"))
        if not keks:
            self.stdout.write("There is no key-encryption key; `manage.py create_kek` makes one.")
        for kek in keks:
            self.stdout.write(f"{kek.name:<20} {kek.state:<9} {kek.wraps:>7} data keys  {kek.backend} {kek.location}")
