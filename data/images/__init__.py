"""Images: bytes of any ordinary file to an upright 8-bit picture."""
