"""Writes files of a project for somebody: a stream with its source, reports and dashboard from a sample."""
