"""Two-way sync between EspoCRM, Advoware and Google Calendar."""
