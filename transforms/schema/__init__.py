"""What event types may become: evolution, declarations, DDL, and their page."""
