"""What a change of the catalogue is refused for."""

from collections.abc import Sequence


class CatalogueProblem(ValueError):
    """A change of plans or prices that is refused; the message says why, for an operator."""


class SlugTaken(CatalogueProblem):
    """A catalogue names a plan that belongs to another catalogue."""


class NotADraft(CatalogueProblem):
    """Only a draft can be published or edited."""


class NotPublishable(CatalogueProblem):
    """A draft that does not make sense as an offer. `problems` names each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class PriceListRefused(CatalogueProblem):
    """A price list that would rewrite the past or pass for staff's own prices."""
