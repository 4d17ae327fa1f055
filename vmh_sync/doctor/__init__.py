"""Looks at settings, our own services and the live systems, and says what to do; reads only."""
