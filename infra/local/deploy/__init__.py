"""The synthesized templates on this machine: stacks, functions' code, and new code when a file is saved."""
