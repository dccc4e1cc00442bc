"""Seeded traffic, and damage done to it on purpose."""
