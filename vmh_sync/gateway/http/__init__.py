"""What every endpoint needs of HTTP: limits, answers, where to listen, counting."""
