"""The probe of EspoCRM, on a scratch record."""
