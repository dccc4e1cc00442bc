"""How deliveries are named in their table."""

HASH_KEY = "pk"
"""Source, `#`, the provider's delivery id."""
EXPIRES_AT = "expires_at"
DAYS_REMEMBERED = 30
"""Longer than any provider sends a delivery again, and than refused ones are kept."""
