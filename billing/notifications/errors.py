"""Why an e-mail was not sent, in words that name no address."""


class NotSent(Exception):
    """`is_final`: trying again would not help."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final
