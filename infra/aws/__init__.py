"""Deploying to AWS: synthesize, check before and after, take over what was kept."""
