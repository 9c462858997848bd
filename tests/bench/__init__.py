"""How fast calls are, as ratios to the same work on the host's own sockets: ``python -m tests.bench.run``."""
