"""The importer: the function that reads the files of an import by a job, and writes what was found."""
