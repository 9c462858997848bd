"""Transports, loaded by the path strings of catalog rows and by nothing else."""
