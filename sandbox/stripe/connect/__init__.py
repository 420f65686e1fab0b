"""Connect: accounts that receive a share, and what has been sent to them (M10)."""
