"""The pipeline on this machine, from the template that AWS gets."""
