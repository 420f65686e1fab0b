from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from billing.credits.models import LedgerAccount, Transfer
from billing.credits.services.check_ledger import check_ledger


class Command(BaseCommand):
    help = "Prove that the ledger adds up: zero sum, every balance equal to its transfers, no orphan hold."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = check_ledger(at=now())
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(f"The ledger does not add up: {len(findings)} findings.")
        self.stdout.write(
            f"The ledger adds up: {Transfer.objects.count()} transfers, {LedgerAccount.objects.count()} accounts."
        )
