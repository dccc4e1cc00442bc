"""Tests of receipts over a target."""
