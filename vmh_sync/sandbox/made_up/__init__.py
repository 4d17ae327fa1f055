"""A made-up firm: values, parties, appointments, and all of them on the first day."""
