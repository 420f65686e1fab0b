"""`manage.py rebuild_rollups`: make usage figures again from the events, or say where they differ."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils.timezone import now

from billing.core.ids import InvalidId, decode_id, encode_id
from billing.subscriptions.errors import NoActivePlan
from billing.subscriptions.models import BillingAccount
from billing.usage.differences import differences_of
from billing.usage.periods import period_at
from billing.usage.services.rebuild_rollups import rebuild_rollups


class Command(BaseCommand):
    help = "Make rollups, and what counters have used, again from usage events, account by account (U4)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="An account's id, or a tenant's slug for all its accounts; else all.")
        parser.add_argument("--period", type=_date, help="A UTC date inside the only period to look at; else all.")
        parser.add_argument("--check", action="store_true", help="Only say what differs; exit code 1 if anything does.")

    def handle(self, *_args: Any, **options: Any) -> None:
        accounts = list(_accounts(options["account"]).order_by("id").values_list("id", flat=True))
        if options["account"] and not accounts:
            raise CommandError(f"There is no account “{options['account']}”.")
        wrong = 0
        for number, account_id in enumerate(accounts, start=1):
            found = self._account(account_id, options["period"], check=options["check"])
            self.stdout.write(f"{number}/{len(accounts)} {encode_id('acc', account_id)}: {len(found)} differences")
            for line in found:
                self.stderr.write(f"  {line}")
            wrong += len(found)
        if wrong and options["check"]:
            raise CommandError(f"{wrong} figures differ from their events.")
        self.stdout.write(f"{wrong} figures made right." if wrong else "All figures are what their events come to.")

    def _account(self, account_id: UUID, day: datetime | None, *, check: bool) -> list[str]:
        try:
            start = None if day is None else period_at(account_id=account_id, instant=day, at=now()).start
        except NoActivePlan:
            return []  # without a plan nothing was ever recorded
        if check:
            return differences_of(account_id=account_id, period_start=start)
        return rebuild_rollups(account_id=account_id, period_start=start, at=now()).differences


def _accounts(named: str | None) -> QuerySet[BillingAccount]:
    if named is None:
        return BillingAccount.objects.all()
    try:
        return BillingAccount.objects.filter(id=decode_id("acc", named))
    except InvalidId:
        return BillingAccount.objects.filter(tenant__slug=named)


def _date(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
