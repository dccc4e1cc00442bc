"""Payloads that have broken pipelines: each with its name and the reason it must get."""
