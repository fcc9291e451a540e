"""Label Studio as a door: proposals out, answers back, over its plain HTTP interface (tried with Community 1.23.2)."""
