"""`manage.py load_prices [FILE]`: bring models and their prices to what a price list says."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from billing.plans.data_table import DataFileError
from billing.plans.errors import CatalogueProblem
from billing.plans.price_list_file import read_price_list, shipped_price_list
from billing.plans.services.load_price_list import PriceChanges, load_price_list

_LEFT_ALONE = (
    ("kept", "priced by staff, left as they are"),
    ("hidden", "in the list, but not offered: list them in the admin"),
    ("unlisted", "vanished from the list, not offered any more"),
)


class Command(BaseCommand):
    help = "Load a model price list (R1): a changed price is a new row, in force from now on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="JSON; without one, the shipped list")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            price_list = read_price_list(options["file"]) if options["file"] else shipped_price_list()
            changes = load_price_list(price_list=price_list, at=now())
        except (DataFileError, CatalogueProblem, OSError) as error:
            raise CommandError(str(error)) from error
        self._report(changes)

    def _report(self, changes: PriceChanges) -> None:
        self.stdout.write(
            f"{len(changes.created)} models created, {len(changes.repriced)} repriced, "
            f"{len(changes.described)} described anew, {len(changes.unchanged)} unchanged"
        )
        for name, meaning in _LEFT_ALONE:
            models = getattr(changes, name)
            if models:
                self.stdout.write(f"  {meaning}: {', '.join(models)}")
