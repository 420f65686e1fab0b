"""A stand-in for Stripe, for the demo and the tests: a process of its own with a store of its own."""
