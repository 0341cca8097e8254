"""What is stored, what the numbers mean, and where metadata comes from. Imports none of our other packages."""
