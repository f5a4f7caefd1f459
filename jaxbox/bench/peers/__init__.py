"""Other ways to train the same networks, one a file; each is a row of the table `jaxbox.bench.sides.SIDES`."""
