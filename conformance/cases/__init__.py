"""The cases, one module per chapter. How to write one: ../README.md."""
