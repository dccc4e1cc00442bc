"""The example shop: the streams of the project that ships with Penstock, with their examples and releases."""
