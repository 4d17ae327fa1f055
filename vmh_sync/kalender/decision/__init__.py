"""What is to be done about each appointment, and what a decision is made of. Pure."""
