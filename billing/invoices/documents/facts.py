"""What a document says, in words and written figures: the HTML page and the PDF only lay it out (I2)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what it is."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class PartyFacts:
    """Who issues the document, or to whom."""

    name: str
    address: tuple[str, ...]
    ids: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What of a line one model comes to, exact; `amount` is empty where nothing is charged for it."""

    name: str
    figures: str
    amount: str


@dataclass(frozen=True, slots=True)
class RowFacts:
    """A line."""

    name: str
    note: str
    quantity: str
    amount: str
    is_free: bool
    parts: tuple[PartFacts, ...]


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """Lines of one sort."""

    name: str
    rows: tuple[RowFacts, ...]


@dataclass(frozen=True, slots=True)
class SumFacts:
    """A line of the reckoning below the table."""

    label: str
    amount: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """An invoice or a credit note.

    `due` is its last figure, what is to be paid or was credited. `payment` are sentences on how, never on whether: a
    document does not change. `explanation` is how its exact and its rounded figures go together, where it has both.
    `seal` is the hash of its content, `fonts` the faces for the customer's own script.
    """

    title: str
    number: str
    issued_at: datetime
    dates: tuple[Labelled, ...]
    seller: PartyFacts
    customer: PartyFacts
    note: str
    groups: tuple[GroupFacts, ...]
    sums: tuple[SumFacts, ...]
    due: SumFacts
    settled: tuple[SumFacts, ...]
    payment: tuple[str, ...]
    explanation: str
    seal: str
    paper: str
    fonts: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """What the file is called, without its ending."""
        return self.number
