"""Mail that goes out: how it comes to be, how it reads, and how it is sent."""
