"""Google's side of an appointment: what is sent of it, and what its kinds of events mean."""
