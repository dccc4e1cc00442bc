"""How a board is drawn in a browser: the files that the preview and the report site share."""
