"""The plan that is shown, guarded, approved and carried out. Pure."""
