"""What Ctrl-C says and returns, for the program's first lines: imports nothing."""

INTERRUPTED = 130
SENTENCE = "Abgebrochen. Was schon geschrieben ist, bleibt; den Rest holt der nächste Abgleich nach."
