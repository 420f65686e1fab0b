"""`manage.py load_catalog [FILE …]`: bring the plans to what catalogue files say."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.timezone import now

from billing.plans.catalogue_file import read_catalogues, shipped_catalogues
from billing.plans.data_table import DataFileError
from billing.plans.errors import CatalogueProblem
from billing.plans.models import Plan
from billing.plans.services.load_catalogue import CatalogueChanges, load_catalogue


class Command(BaseCommand):
    help = "Load plan catalogues (P1): changed plans get a new published version, all files or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="TOML; without any, the shipped ones")
        parser.add_argument(
            "--if-empty", action="store_true", help="load nothing where any plan exists: somebody's catalogue stays"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["if_empty"] and Plan.objects.exists():
            return
        try:
            catalogues = read_catalogues(options["files"]) if options["files"] else shipped_catalogues()
            with transaction.atomic():
                for catalogue in catalogues:
                    self._report(catalogue.slug, load_catalogue(catalogue=catalogue, at=now()))
        except (DataFileError, CatalogueProblem, OSError) as error:
            raise CommandError(str(error)) from error

    def _report(self, catalogue: str, changes: CatalogueChanges) -> None:
        self.stdout.write(
            f"{catalogue}: {len(changes.created)} created, {len(changes.updated)} updated, "
            f"{changes.new_versions} new versions, {len(changes.unchanged)} unchanged"
        )
        if changes.absent:
            self.stdout.write(f"  not in the file, left as they are: {', '.join(changes.absent)}")
