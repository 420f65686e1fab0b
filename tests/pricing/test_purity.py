"""The pure packages stay pure."""

import subprocess
import sys

import pytest

MODULES = [
    "billing.core.ids",
    "billing.core.money",
    "billing.core.periods",
    "billing.core.problems",
    "billing.pricing.fees",
    "billing.pricing.proration",
    "billing.pricing.tokens",
    "billing.pricing.units",
]


@pytest.mark.parametrize("forbidden", ["django", "rest_framework", "stripe"])
def test_pure_packages_need_no_framework(forbidden: str) -> None:
    """M11: money and rating run, and can be tested, without the web framework or the payment provider."""
    program = f"import sys, {', '.join(MODULES)}; sys.exit({forbidden!r} in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
