"""What our database keeps of appointments: pairs, audit values, frozen plans, failures."""
