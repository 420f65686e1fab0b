"""What Stripe calls the tax ids of a country, and how it writes them."""

import re
from typing import NamedTuple

from billing.invoices.countries import EUROPEAN_UNION


class TaxId(NamedTuple):
    """A tax id as Stripe has it."""

    type: str
    value: str

    def is_same(self, other: "TaxId") -> bool:
        """Whatever signs stand between the letters."""
        return self.type == other.type and plain_tax_id(self.value) == plain_tax_id(other.value)


# Countries that have one kind of tax id for companies; of others we cannot know which one it is.
_TYPES = {
    "AE": "ae_trn",
    "AU": "au_abn",
    "CL": "cl_tin",
    "GB": "gb_vat",
    "GE": "ge_vat",
    "IL": "il_vat",
    "IN": "in_gst",
    "IS": "is_vat",
    "KE": "ke_pin",
    "KR": "kr_brn",
    "MX": "mx_rfc",
    "NO": "no_vat",
    "NZ": "nz_gst",
    "PE": "pe_ruc",
    "PH": "ph_tin",
    "RS": "rs_pib",
    "SA": "sa_vat",
    "TH": "th_vat",
    "TR": "tr_tin",
    "TW": "tw_vat",
    "UA": "ua_vat",
    "US": "us_ein",
    "UY": "uy_ruc",
    "VN": "vn_tin",
    "ZA": "za_vat",
}
_SEPARATORS = re.compile(r"[\s./-]")
_SWISS = re.compile(r"(CHE)([0-9]{3})([0-9]{3})([0-9]{3})([A-Z]*)")


def plain_tax_id(text: str) -> str:
    """Capital letters and digits alone."""
    return _SEPARATORS.sub("", text).upper()


def tax_id_at_stripe(tax_id: str, country: str) -> TaxId | None:
    """A tax id as Stripe takes it; None where there is none, or Stripe has no type for it that we could know."""
    plain = plain_tax_id(tax_id)
    if not plain:
        return None
    if country in EUROPEAN_UNION or (country == "GB" and plain.startswith("XI")):  # Northern Ireland
        return TaxId("eu_vat", plain)
    if country == "CH":
        return _swiss(plain)
    if country == "US":
        return TaxId("us_ein", f"{plain[:2]}-{plain[2:]}")
    return TaxId(_TYPES[country], plain) if country in _TYPES else None


def _swiss(plain: str) -> TaxId:
    """With the word for VAT behind it, it is a VAT number."""
    found = _SWISS.fullmatch(plain)
    if found is None:
        return TaxId("ch_uid", plain)
    head, *digits, suffix = found.groups()
    written = f"{head}-{'.'.join(digits)}"
    return TaxId("ch_vat", f"{written} {'MWST' if suffix == 'VAT' else suffix}") if suffix else TaxId("ch_uid", written)
