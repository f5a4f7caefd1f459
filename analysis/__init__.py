"""What is known exactly about the box task: imports jaxbox, and is never imported by it."""
