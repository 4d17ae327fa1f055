"""What processes agree on while they run: leases, the shared token, rates, the doorbell. Kept in Redis or Valkey.

Nothing here is truth: all of it may be lost at any moment without losing or doubling a record.
"""
