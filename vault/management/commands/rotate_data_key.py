"""`manage.py rotate_data_key --tenant SLUG | --platform | --all`: encrypt provider keys under new data keys."""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from tenants.models import Tenant
from vault.errors import VaultError
from vault.models import DataKey
from vault.services.rotate_data_key import Rotation, rotate_data_key


class Command(BaseCommand):
    help = "Replace data keys and encrypt what hangs on them anew (K8); may be stopped, repeated, run twice at once."

    def add_arguments(self, parser: CommandParser) -> None:
        whose = parser.add_mutually_exclusive_group(required=True)
        whose.add_argument("--tenant", metavar="SLUG", help="the tenant's data key")
        whose.add_argument("--platform", action="store_true", help="the data key of the platform's own keys")
        whose.add_argument("--all", action="store_true", help="every data key")
        parser.add_argument(
            "--made-before",
            type=_time,
            metavar="TIME",
            help="leave newer data keys alone; with the time that an interrupted run said, only what it left is done",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        made_before = options["made_before"] or now()
        self.stdout.write(f"If this is interrupted, go on with --made-before {made_before.isoformat()}")
        total = Rotation()
        for tenant_id in _owners(options):
            self._rotate(tenant_id, made_before, total)
        for what in total.unreadable:
            self.stderr.write(f"Does not decrypt, and stays as it is: {what}")
        self._tell(total)
        if total.unreadable:
            raise CommandError(f"{len(total.unreadable)} versions do not decrypt; check_vault says more.")

    def _rotate(self, tenant_id: UUID | None, made_before: datetime, total: Rotation) -> None:
        try:
            one = rotate_data_key(tenant_id=tenant_id, made_before=made_before, at=now(), tell=self._tell)
        except VaultError as error:
            raise CommandError(f"{error} What is done stays; go on as said above.") from None
        total.moved += one.moved
        total.destroyed += one.destroyed
        total.unreadable += one.unreadable

    def _tell(self, so_far: Rotation) -> None:
        self.stdout.write(f"{so_far.moved} versions encrypted anew, {so_far.destroyed} data keys destroyed")
        self.stdout.flush()


def _time(text: str) -> datetime:
    time = parse_datetime(text)
    if time is None or time.tzinfo is None:
        raise ArgumentTypeError("a time with its zone is meant, such as 2026-11-21T12:00:00+00:00")
    return time


def _owners(options: dict[str, Any]) -> list[UUID | None]:
    """Tenants by id, the platform as None."""
    if options["platform"]:
        return [None]
    if options["tenant"]:
        tenant = Tenant.objects.filter(slug=options["tenant"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']}.")
        return [tenant.id]
    owners = DataKey.objects.filter(destroyed_at=None).order_by("tenant_id").values_list("tenant_id", flat=True)
    return list(owners.distinct())
