class SandboxError(Exception):
    """Something the person at the keyboard can act on; its text is shown without a traceback."""
