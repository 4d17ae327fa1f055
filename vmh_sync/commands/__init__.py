"""The commands behind ``vmh-sync``: each module does one, the command line only parses."""
