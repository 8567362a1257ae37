"""The doors reports come in by: each one an adapter that ends in `reports.services.accept`."""
