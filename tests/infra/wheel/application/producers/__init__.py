"""Whom the service buys from."""

NAMES = ("Sawmill", "Foundry")
