"""Public ids: one spelling each, everything else refused (F3)."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.core.ids import InvalidId, decode_id, encode_id, new_id

quick = settings(deadline=None, max_examples=100)
SAMPLE = "0192f3a0c5b77e1c8d2f4a6b8c0d1e2f"


def test_new_ids_are_version_7_and_ascend() -> None:
    """F3: new ids sort by the time they were made."""
    ids = [new_id() for _ in range(1000)]
    assert {(type(each), each.version) for each in ids} == {(UUID, 7)}
    assert ids == sorted(set(ids))


@quick
@given(st.uuids(), st.sampled_from(["evt", "auth", "inv", "a_b"]))
def test_ids_round_trip(value: UUID, prefix: str) -> None:
    """F3: an id that was given out is read back, and only under its own prefix."""
    text = encode_id(prefix, value)
    assert text == f"{prefix}_{str(value).replace('-', '')}"
    assert decode_id(prefix, text) == value
    with pytest.raises(InvalidId):
        decode_id("other", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "evt_",
        SAMPLE,
        f"evt{SAMPLE}",
        f"auth_{SAMPLE}",
        f"EVT_{SAMPLE}",
        f"evt_{SAMPLE.upper()}",
        f"evt_{SAMPLE[:-1]}",
        f"evt_{SAMPLE}0",
        f"evt_{SAMPLE}\n",
        f" evt_{SAMPLE}",
        f"evt_{SAMPLE[:-1]}g",
        f"evt_{SAMPLE[:-1]}٣",
        "evt_" + str(UUID(SAMPLE)),
        f"evt_evt_{SAMPLE}",
    ],
)
def test_every_other_text_is_refused(text: str) -> None:
    """F3: wrong prefix, case, length or digits are no id."""
    with pytest.raises(InvalidId):
        decode_id("evt", text)


@pytest.mark.parametrize("value", [None, 1, b"evt_" + SAMPLE.encode(), uuid4(), ["evt"], {}])
def test_what_is_no_string_is_refused(value: Any) -> None:
    """F3: a JSON value of another type is an invalid id, not a crash."""
    with pytest.raises(InvalidId, match="is a string"):
        decode_id("evt", value)
