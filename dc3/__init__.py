"""The command line `dc3 VERB`: parses, calls one function, prints."""
