"""What became of a record, as status, outcome and German words. Pure."""
