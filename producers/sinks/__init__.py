"""The port through which records leave, and its adapters."""
