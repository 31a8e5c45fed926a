"""Ways of reaching a receiver: webhooks, Alertmanager and e-mail, each tried until it takes."""
