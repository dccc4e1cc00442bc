"""`penstock import`: files to lake objects, past the stream."""
