"""Billing: checkouts, webhooks, fulfillment, refunds and receipts."""
