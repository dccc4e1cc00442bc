"""Receipts of numbers, over the resources of a target."""
