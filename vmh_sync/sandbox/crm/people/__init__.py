"""Who may do what in the simulated EspoCRM: accounts, roles, logins."""
