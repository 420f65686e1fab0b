"""What a person sees and clicks: Checkout, the customer portal, invoices, onboarding and the sandbox's own page."""
