"""`python -m bench.fill_main`: fill the database of DATABASE_URL and print the API key."""

import django
from django.utils.timezone import now

if __name__ == "__main__":
    django.setup()

    from bench.fill import fill

    print(fill(now()))
