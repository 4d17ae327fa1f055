"""What is known of this installation: the firm's rules, its systems, its database and Redis."""
