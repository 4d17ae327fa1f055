"""An entity of a firm's own, written as CONTRIBUTING.md says: the files (Akten) of a party, EspoCRM ``CAkten``."""
