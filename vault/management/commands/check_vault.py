"""`manage.py check_vault`: prove that every provider key can be read, and that nothing hangs on what is gone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.models import CredentialVersion, DataKey
from vault.services.check_vault import check_vault


class Command(BaseCommand):
    help = "Prove that the vault is whole (K8): exit status 1 with findings, none of which holds a secret."

    def handle(self, *_args: Any, **_options: Any) -> None:
        findings = check_vault()
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(f"The vault is not whole: {len(findings)} findings.")
        versions = CredentialVersion.objects.filter(revoked_at=None).count()
        data_keys = DataKey.objects.filter(destroyed_at=None).count()
        self.stdout.write(f"The vault is whole: {versions} versions decrypt, {data_keys} data keys unwrap.")
