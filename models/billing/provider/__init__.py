"""The payment provider: Stripe's API and objects, and the test checkout that replaces it."""
