"""Questions to the service itself."""
