"""One record's failure stays its own, is counted, and is told from an outage."""
