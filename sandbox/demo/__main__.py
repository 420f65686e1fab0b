"""`python -m sandbox.demo --home DIR`: two tenants and real usage, made through the product's services.

Safe to run again: what is there stays, and a replay that was cut off goes on. `DIR/demo-seed.json` keeps what cannot be
read back from the database: passwords, API keys, and the instant that the trace is laid against.
"""

import argparse
import os
from pathlib import Path

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()

    from sandbox.demo.load import load_demo

    parser = argparse.ArgumentParser(prog="python -m sandbox.demo")
    parser.add_argument("--home", type=Path, required=True, help="folder of demo-seed.json")
    load_demo(parser.parse_args().home)
