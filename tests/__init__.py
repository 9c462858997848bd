"""Tests of winsock2emu; the folders mirror the package's."""
