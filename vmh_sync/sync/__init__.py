"""The sync engine, blind to entities: base, three-way merge, plan, guards (pure) and the executor."""
