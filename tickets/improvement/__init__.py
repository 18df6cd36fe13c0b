"""What is learned from tickets: ratings, concerns, problems behind many."""
