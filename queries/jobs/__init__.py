"""Long work that is asked for once and goes on by itself: rules, ports, steps, and their machine."""
