"""The preview: the deployed Definitions in a browser, with true numbers."""
