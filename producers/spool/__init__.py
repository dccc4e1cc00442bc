"""Durable segments on disk: events that outlive the process."""
