"""The watch: asks EspoCRM every second what changed, so that edits are synced soon also without webhooks."""
