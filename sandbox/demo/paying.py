"""`python -m sandbox.demo.paying`: the second tenant subscribes to its plan at the stand-in for Stripe.

After `connect_stripe`, and safe at each start; what the database and the stand-in differ in is repaired first.
Nothing is ever bought at the real Stripe.
"""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from django.utils.timezone import now

    from sandbox.demo.purchase import buy_plan

    buy_plan(at=now())
