"""`manage.py close_cycles`: close the billing cycles that have ended, now instead of with the next minute."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from billing.core.ids import InvalidId, decode_id
from billing.invoices.models import BillingCycle
from billing.invoices.services.close_due_cycles import close_due_cycles
from billing.subscriptions.models import BillingAccount


class Command(BaseCommand):
    help = (
        "Close billing cycles that have ended and issue their invoices; safe to run beside the worker, and again (I1)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Only this account (acc_…), and without waiting for late usage.")
        parser.add_argument(
            "--at",
            type=_instant,
            help="As if it were then (RFC 3339). In the future only with --ahead: usage that a closed cycle still "
            "gets becomes an adjustment of the next invoice.",
        )
        parser.add_argument("--ahead", action="store_true", help="Allow --at to lie in the future: for trying out.")

    def handle(self, *_args: Any, **options: Any) -> None:
        at = options["at"] or now()
        if at > now() and not options["ahead"]:
            raise CommandError("That is in the future; --ahead closes cycles before their time.")
        account_id = _account(options["account"]).id if options["account"] else None
        closed = close_due_cycles(at=at, account_id=account_id)
        failed = BillingCycle.objects.exclude(error="").filter(ends_at__lte=at)
        self.stdout.write(f"{closed} closed, {failed.count()} could not be closed.")
        for cycle in failed[:20]:
            self.stderr.write(f"  {cycle}: {cycle.error}")


def _account(text: str) -> BillingAccount:
    try:
        return BillingAccount.objects.get(id=decode_id("acc", text))
    except (InvalidId, BillingAccount.DoesNotExist):
        raise CommandError(f"There is no account “{text}”.") from None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
