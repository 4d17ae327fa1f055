"""First contact of two sides that lived apart: matched by content as a whole before anything is created."""
