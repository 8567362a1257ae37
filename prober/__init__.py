"""The asynchronous engine that observes domains: DNS, HTTPS policies, SMTP STARTTLS."""
