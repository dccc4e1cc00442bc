"""Events over HTTP: keys, validation, and an answer only once the events are safe."""
