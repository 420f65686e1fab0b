from vault.admin import assignment, credential, host, keys, record

__all__ = ["assignment", "credential", "host", "keys", "record"]
