"""Tables as labs have them: encoding, separator, column names, numbers, times."""
