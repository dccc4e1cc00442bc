"""Expected answers and difficult inputs."""
