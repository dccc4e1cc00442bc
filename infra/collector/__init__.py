"""What the collector's clients need: its description as OpenAPI, and the types of its events for pages."""
