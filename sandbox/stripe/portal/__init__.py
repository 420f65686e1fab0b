"""The customer portal: what its configurations allow, and the sessions that open it (S3)."""
