"""Pictures of runs, records and gradients: each function draws one matplotlib `Figure`, without any global state."""
