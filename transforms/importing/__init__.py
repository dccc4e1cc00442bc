"""Events of an import as objects of the lake."""
