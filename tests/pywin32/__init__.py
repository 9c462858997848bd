"""pywin32's own tests, on the emulator's faces of its modules."""
