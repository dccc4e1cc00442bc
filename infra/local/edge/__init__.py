"""The edge: the local address of the report site, in front of its page, its API and its sign-in."""
