"""The shape of tax ids by country: a slip of the hand is caught, whether an id exists is for its authority to say."""

import re
from collections.abc import Mapping

from billing.invoices.countries import COUNTRIES, EUROPEAN_UNION

# Without spaces, points, hyphens and slashes.
_SHAPES: Mapping[str, tuple[str, str]] = {
    "AT": ("ATU[0-9]{8}", "ATU12345678"),
    "BE": ("BE[01][0-9]{9}", "BE0123456789"),
    "BG": ("BG[0-9]{9,10}", "BG123456789"),
    "CY": ("CY[0-9]{8}[A-Z]", "CY12345678A"),
    "CZ": ("CZ[0-9]{8,10}", "CZ12345678"),
    "DE": ("DE[0-9]{9}", "DE123456789"),
    "DK": ("DK[0-9]{8}", "DK12345678"),
    "EE": ("EE[0-9]{9}", "EE123456789"),
    "ES": ("ES[A-Z0-9][0-9]{7}[A-Z0-9]", "ESA12345678"),
    "FI": ("FI[0-9]{8}", "FI12345678"),
    "FR": ("FR[A-Z0-9]{2}[0-9]{9}", "FR12345678901"),
    "GR": ("EL[0-9]{9}", "EL123456789"),
    "HR": ("HR[0-9]{11}", "HR12345678901"),
    "HU": ("HU[0-9]{8}", "HU12345678"),
    "IE": (r"IE[0-9][A-Z0-9+*][0-9]{5}[A-Z]{1,2}", "IE1234567A"),
    "IT": ("IT[0-9]{11}", "IT12345678901"),
    "LT": ("LT([0-9]{9}|[0-9]{12})", "LT123456789"),
    "LU": ("LU[0-9]{8}", "LU12345678"),
    "LV": ("LV[0-9]{11}", "LV12345678901"),
    "MT": ("MT[0-9]{8}", "MT12345678"),
    "NL": (r"NL[A-Z0-9+*]{10}[0-9]{2}", "NL123456789B01"),
    "PL": ("PL[0-9]{10}", "PL1234567890"),
    "PT": ("PT[0-9]{9}", "PT123456789"),
    "RO": ("RO[0-9]{2,10}", "RO1234567890"),
    "SE": ("SE[0-9]{12}", "SE123456789001"),
    "SI": ("SI[0-9]{8}", "SI12345678"),
    "SK": ("SK[0-9]{10}", "SK1234567890"),
    "AU": ("[0-9]{11}", "12 345 678 901"),
    "CH": ("CHE[0-9]{9}(MWST|TVA|IVA|VAT)?", "CHE-123.456.789 MWST"),
    "GB": ("(GB|XI)([0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3})", "GB123456789"),
    "IN": ("[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]", "27AAPFU0939F1ZV"),
    "US": ("[0-9]{9}", "12-3456789"),
}
_SEPARATORS = re.compile(r"[\s./-]")
_NAMES = {"AU": "An ABN", "GB": "A VAT number", "IN": "A GSTIN", "US": "An EIN"}


def tax_id_problem(tax_id: str, country: str) -> str | None:
    """Why a tax id cannot be one of the country, for people; None where it can, and where its shape is not known."""
    if country not in _SHAPES:
        return None
    shape, example = _SHAPES[country]
    if re.fullmatch(shape, _SEPARATORS.sub("", tax_id).upper(), re.ASCII):
        return None
    name = "A VAT number" if country in EUROPEAN_UNION else _NAMES.get(country, "A tax id")
    return f"{name} of {COUNTRIES[country]} looks like {example}."
