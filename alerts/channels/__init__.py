"""The ways a message can leave. Each sends one message or raises DeliveryFailed."""
