"""The application: requests to answers."""
