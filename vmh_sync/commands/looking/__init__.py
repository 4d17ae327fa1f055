"""Commands that look and change nothing: status, one record, both sides compared."""
