"""What a pass works with: clients, store, leases and rules, opened together and closed together."""
