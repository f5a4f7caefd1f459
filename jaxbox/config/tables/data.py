"""What the data can name: laws of the positions, labels, splits."""

from jaxbox.config.rows import Row

LAWS = {
    "uniform": Row("jaxbox.task.laws:uniform", "all positions equally probable"),
    "beta": Row(
        "jaxbox.task.laws:beta",
        "x and y independent and Beta-distributed about the middle, both parameters alike",
        ("data.concentration",),
    ),
    "corner": Row(
        "jaxbox.task.laws:corner", "imbalanced: a share of the examples from one quadrant", ("data.corner_share",)
    ),
}
LABELS = {
    "true": Row("jaxbox.task.labels:true", "every image with its own target", ("render",)),
    "shuffled": Row(
        "jaxbox.task.labels:shuffled", "targets permuted against images, within the training set", ("render",)
    ),
    "flipped": Row("jaxbox.task.labels:flipped", "half of the images flipped left-right, their targets not"),
}
SPLITS = {
    "random": Row("jaxbox.task.splits:random", "none: every position can be drawn"),
    "held_out": Row("jaxbox.task.splits:held_out", "a share of the positions, at random", ("data.held_out",)),
    "quadrant": Row("jaxbox.task.splits:quadrant", "the bottom right quadrant (Liu et al., 2018)"),
}
