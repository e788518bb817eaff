"""The pure core (models, decide, evolve, intake, clocks, redaction) and the engines that run it."""
