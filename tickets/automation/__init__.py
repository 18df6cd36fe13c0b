"""What happens by itself: the clock, dealing, and the rules of operators."""
