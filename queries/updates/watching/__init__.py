"""Following live updates over AppSync's real-time protocol, without missing any."""
