"""What other systems tell: webhooks of EspoCRM, notifications of Google."""
