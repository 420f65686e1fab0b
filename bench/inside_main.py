"""`python -m bench.inside_main <function>`: a function of `bench.inside` on the database of DATABASE_URL, as JSON."""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()

    from bench import inside

    print(json.dumps(getattr(inside, sys.argv[1])()))
