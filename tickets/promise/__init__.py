"""By when: service levels in opening hours, and how a promise is told."""
