"""History past the stream: the events of files, in order of their event hours."""
