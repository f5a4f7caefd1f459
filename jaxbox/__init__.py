"""Train many small regression networks at once, and keep every number they produce."""
