"""What a person has to be told about an appointment, and how it is said."""
