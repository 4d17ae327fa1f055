"""The probe of Google Calendar, on events of its own."""
