"""Texts that programs send with each run and event, looked through for keys at next to no cost (K2)."""

from vault.crypto.redaction import shows_a_key


def hold_a_key(texts: str) -> bool:
    """Whether one of the texts, with line breaks between them, looks like a key.

    As `shows_a_key`, which is asked only where something stands that a key may begin with.
    """
    if "_" in texts or "k-" in texts:
        return _may_begin_in_small(texts) and shows_a_key(texts)
    may_begin = "AIza" in texts or "AQ." in texts or "SG." in texts or "KEY" in texts or "AC" in texts
    return may_begin and shows_a_key(texts)


def _may_begin_in_small(texts: str) -> bool:
    if "k_" in texts or "k-" in texts or "re_" in texts or "whsec_" in texts or "tgp_v" in texts:
        return True
    return "AIza" in texts or "AQ." in texts or "SG." in texts or "KEY" in texts or "AC" in texts
