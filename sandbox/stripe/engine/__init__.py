"""Billing as Stripe does it: subscriptions, invoices, payments, time."""
