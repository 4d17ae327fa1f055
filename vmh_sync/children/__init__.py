"""What belongs to a party and has an EspoCRM record of its own: the mechanism that Adressen and Bankverbindungen share."""
