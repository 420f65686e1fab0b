"""The demo's steps, in order."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils.timezone import now

from billing.credits.services.check_ledger import check_ledger
from billing.invoices.services.verify_invoices import verify_invoices
from billing.usage.services.flush_rollups import flush_all_rollups
from sandbox.demo.people import DEMO_TENANT, PAYING_PLAN, create_tenants
from sandbox.demo.pilot import add_pilot
from sandbox.demo.provider_keys import furnish_keys
from sandbox.demo.purchase import pays_at_sandbox
from sandbox.demo.trace import replay, trace_is_recorded
from sandbox.files import write_private
from tenants.models import Tenant


def load_demo(home: Path) -> None:
    """Catalogues, prices, tenants, the trace, invoices, provider keys; leaves `demo-seed.json` in `home`."""
    call_command("load_catalog", if_empty=True)
    call_command("load_prices")
    seed = _seed(home / "demo-seed.json")
    tenant = Tenant.objects.get(slug=seed["tenant"])
    is_new = not trace_is_recorded(tenant)
    if is_new:
        replay(tenant, workspace=seed["workspace"], until=datetime.fromisoformat(seed["trace_until"]))
    add_pilot(tenant, at=now())
    flush_all_rollups()
    if findings := [*check_ledger(at=now()), *verify_invoices()]:
        told = "The ledger and the invoices do not add up:\n" + "\n".join(findings)
        if is_new:
            sys.exit(told)
        print(told, file=sys.stderr)  # somebody tried what happens: no reason to lock them out
    furnish_keys(at=now())  # after the replay: the trace ran on the platform's keys


def _seed(path: Path) -> dict[str, Any]:
    """The seed of a database that has the demo's tenants: as it was written when they were made, or made now."""
    if path.exists():
        seed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if Tenant.objects.filter(slug=seed["tenant"]).exists():
            return seed
    if Tenant.objects.filter(slug=DEMO_TENANT).exists():
        sys.exit(f"The database has the demo's tenants, but {path} is gone: restore it, or start on an empty database.")
    seed = create_tenants(at=now(), paying_plan="free" if pays_at_sandbox() else PAYING_PLAN)
    write_private(path, json.dumps(seed, indent=2) + "\n")
    return seed
