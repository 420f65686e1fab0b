"""Plans side by side: features in rows, plans in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from billing.console.pages.plan_cards import FeatureRow, PlanCard
from billing.plans.features import FEATURES

NOTHING = "—"
_ORDER = {feature.name: place for place, feature in enumerate(FEATURES.values())}
# What a plan means by not speaking of a feature: a limit that is not set limits nothing.
_UNSAID = {feature.name: "Unlimited" for feature in FEATURES.values() if feature.kind.may_be_unlimited}
_UNSAID[FEATURES["denied_models"].name] = "None"


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """What each plan says of one thing, in the order of the columns."""

    label: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`columns` are the plans' names."""

    columns: Sequence[str]
    features: Sequence[ComparedRow]
    meters: Sequence[ComparedRow]


def compare(cards: Sequence[PlanCard]) -> Comparison:
    """All that any of the plans speaks of."""
    return Comparison(
        [card.name for card in cards],
        sorted(_merge([card.rows for card in cards]), key=lambda row: _ORDER[row.label]),
        _merge([card.meters for card in cards]),
    )


def differences(before: PlanCard, after: PlanCard) -> Comparison:
    """Only what a change of plan changes."""
    both = compare([before, after])
    return Comparison(both.columns, _changed(both.features), _changed(both.meters))


def _changed(rows: Sequence[ComparedRow]) -> list[ComparedRow]:
    return [row for row in rows if len(set(row.values)) > 1]


def _merge(columns: Sequence[Sequence[FeatureRow]]) -> list[ComparedRow]:
    texts = [{row.label: row.value_text for row in column} for column in columns]
    labels = dict.fromkeys(row.label for column in columns for row in column)
    return [
        ComparedRow(label, [column.get(label, _UNSAID.get(label, NOTHING)) for column in texts]) for label in labels
    ]
