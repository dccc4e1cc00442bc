"""How write keys and counts of a day are named in their table."""

HASH_KEY = "pk"
EXPIRES_AT = "expires_at"
"""Counts of a day go three days later, by the table's time to live."""
KEY, USE = "key#", "use#"
"""What the hash key of an item begins with: then comes a key's hash, or source and day."""
ALLOWS = "allows"
"""What a key allows, as JSON: one attribute, so that it is read and replaced as a whole."""
