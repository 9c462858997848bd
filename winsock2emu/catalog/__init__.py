"""The catalog: which protocols there are, in which order, and what to load for each (the registry of Winsock)."""
