"""What can go wrong with invoices; the texts are for people."""


class NotCreditable(ValueError):
    """Why a credit note cannot be issued."""


class DocumentDisagrees(ValueError):
    """The processor's invoice does not come to what its lines and taxes do."""
