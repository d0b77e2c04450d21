"""The product on a desk: simulated cameras, a broker, and the truth beside the count."""
