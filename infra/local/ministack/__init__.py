"""MiniStack, the AWS emulator: how we run it, and what we change in it."""
