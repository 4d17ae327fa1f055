"""What launches runs of an entity by itself."""
