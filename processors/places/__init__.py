"""Areas and providers as wholes: alerts on their indicators, and the forecast of breaches."""
