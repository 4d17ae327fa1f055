"""What belongs to a party and has an EspoCRM record of its own: what Adressen and Bankverbindungen share."""
