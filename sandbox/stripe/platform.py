"""The account that the sandbox's keys belong to."""

PLATFORM_ACCOUNT = "acct_1Q0sandbox0platform"
PLATFORM_NAME = "Quaestor sandbox"
PLATFORM_EMAIL = "billing@quaestor.example"
DEFAULT_CURRENCY = "usd"
