"""Checkout: what a session sells, what pressing its button does, and when it ends."""
