"""What a caller asks for: a sync, or how a record stands."""
