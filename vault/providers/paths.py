"""Addresses of calls below a base URL."""


def join(base_url: str, path: str) -> str:
    """The path below the base, whose end may already be the path's beginning.

    Base URLs are written with and without their version: `https://models.example` and `https://models.example/v1`
    both lead to `https://models.example/v1/models`.
    """
    scheme, separator, rest = base_url.rstrip("/").partition("://")
    host, *above = rest.split("/")
    below = path.lstrip("/").split("/")
    for length in range(min(len(above), len(below) - 1), 0, -1):
        if above[-length:] == below[:length]:
            above = above[:-length]
            break
    return f"{scheme}{separator}{'/'.join([host, *above, *below])}"
