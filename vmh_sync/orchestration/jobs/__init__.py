"""The job and the assets of an entity, and what their runs open and report."""
