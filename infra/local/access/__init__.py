"""Who may call the ports of the local cloud: keys, signatures, and the gate in front of each server."""
