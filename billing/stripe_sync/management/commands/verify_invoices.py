"""`manage.py verify_invoices`: prove that documents, usage, the ledger and Stripe's invoices are one sum."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe
from django.core.management.base import BaseCommand, CommandError

from billing.core.ids import InvalidId, decode_id
from billing.core.money import spell_amount
from billing.core.periods import Period, boundary
from billing.invoices.services.verify_invoices import verify_invoices
from billing.stripe_sync.client import StripeNotConfigured
from billing.stripe_sync.errors import told
from billing.stripe_sync.invoice_agreement import InvoiceAgreement, compare_invoices
from billing.subscriptions.models import BillingAccount


class Command(BaseCommand):
    help = "Check invoices against their seals, usage, the ledger and Stripe; ends with 1 where anything differs (I1)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="Only this account (acc_…).")
        parser.add_argument("--period", help="Only documents on this month, such as 2026-11 (UTC).")
        parser.add_argument("--stripe", action="store_true", help="Ask Stripe instead of reading our copies.")

    def handle(self, *_args: Any, **options: Any) -> None:
        account_id = _account_id(options["account"]) if options["account"] else None
        period = _month(options["period"]) if options["period"] else None
        try:
            agreement = compare_invoices(account_id=account_id, period=period, fresh=options["stripe"])
        except (StripeNotConfigured, stripe.StripeError) as error:
            raise CommandError(f"Stripe could not be asked: {told(error)}") from None
        findings = verify_invoices(account_id=account_id, period=period) + agreement.findings
        self._print_sums(agreement, "Stripe" if options["stripe"] else "our copies of Stripe's invoices")
        for finding in findings:
            self.stdout.write(f"  {finding}")
        if findings:
            raise CommandError(f"Findings: {len(findings)}.")
        self.stdout.write("Seals, numbers, lines, usage and the ledger agree.")

    def _print_sums(self, agreement: InvoiceAgreement, source: str) -> None:
        self.stdout.write(f"Compared with {source}: {agreement.compared} documents.")
        for currency, sums in sorted(agreement.sums.items()):
            due = f"due {spell_amount(sums.due_here, currency)} here, {spell_amount(sums.due_there, currency)} there"
            tax = f"tax {spell_amount(sums.tax_here, currency)} here, {spell_amount(sums.tax_there, currency)} there"
            self.stdout.write(f"  {due}; {tax}.")


def _account_id(text: str) -> UUID:
    try:
        account_id = decode_id("acc", text)
    except InvalidId:
        raise CommandError(f"“{text}” is no id of an account.") from None
    if not BillingAccount.objects.filter(id=account_id).exists():
        raise CommandError(f"There is no account “{text}”.")
    return account_id


def _month(text: str) -> Period:
    try:
        start = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
        return Period(start, boundary(start, 1))
    except ValueError:
        raise CommandError(f"“{text}” is no month such as 2026-11.") from None
