"""A suite of a few cases that worker processes can import, some of them made to go wrong."""
