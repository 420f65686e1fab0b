from vault.admin import assignment, credential, host, keys, platform_key, record

__all__ = ["assignment", "credential", "host", "keys", "platform_key", "record"]
