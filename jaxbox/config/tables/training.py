"""What training can name: losses, optimisers, schedules of the learning rate."""

from jaxbox.config.rows import Row

LOSSES = {
    "mse": Row("jaxbox.losses.pointwise:mse", "squared error"),
    "mae": Row("jaxbox.losses.pointwise:mae", "absolute error"),
    "huber": Row("jaxbox.losses.pointwise:huber", "half the squared error, beyond delta a line", ("loss.delta",)),
    "log_cosh": Row("jaxbox.losses.pointwise:log_cosh", "ln cosh of the error"),
    "mse_msle": Row(
        "jaxbox.losses.pointwise:mse_msle",
        "squared error + alpha times that of logarithms",
        ("loss.alpha", "loss.epsilon"),
    ),
    "gaussian_nll": Row(
        "jaxbox.losses.likelihoods:gaussian_nll", "normal likelihood, mean and variance learned (Nix and Weigend, 1994)"
    ),
    "beta_nll": Row(
        "jaxbox.losses.likelihoods:beta_nll",
        "the same, weighted by variance^beta (Seitzer et al., 2022)",
        ("loss.beta",),
    ),
    "cross_entropy": Row("jaxbox.losses.likelihoods:cross_entropy", "likelihood of the position's class"),
}

RATE = ("optimizer.learning_rate", "optimizer.weight_decay")
MOMENTUM = (*RATE, "optimizer.momentum")
MEAN_SQUARES = (*RATE, "optimizer.rho", "optimizer.epsilon")
MOMENTS = (*RATE, "optimizer.b1", "optimizer.b2", "optimizer.epsilon")
OPTIMIZERS = {
    "sgd": Row("jaxbox.optimizers:sgd", "gradient descent", RATE),
    "momentum": Row("jaxbox.optimizers:momentum", "heavy-ball momentum (Polyak, 1964)", MOMENTUM),
    "nesterov": Row("jaxbox.optimizers:nesterov", "Nesterov's momentum (1983)", MOMENTUM),
    "rmsprop": Row("jaxbox.optimizers:rmsprop", "RMSProp (Hinton, 2012)", MEAN_SQUARES),
    "adam": Row("jaxbox.optimizers:adam", "Adam (Kingma and Ba, 2015)", MOMENTS),
    "adamw": Row(
        "jaxbox.optimizers:adamw",
        "Adam with decoupled weight decay, which must not be 0 (Loshchilov and Hutter, 2019)",
        MOMENTS,
    ),
    "adadelta": Row("jaxbox.optimizers:adadelta", "Adadelta (Zeiler, 2012)", MEAN_SQUARES),
    "lion": Row(
        "jaxbox.optimizers:lion",
        "sign of a velocity, with decoupled weight decay (Chen et al., 2023)",
        (*RATE, "optimizer.b1", "optimizer.b2"),
    ),
}
SCHEDULES = {
    "constant": Row("jaxbox.schedules:constant", "the learning rate stays"),
    "cosine": Row("jaxbox.schedules:cosine", "half a cosine, from the learning rate to 0 after the last step"),
    "step": Row(
        "jaxbox.schedules:step",
        "decay_factor times the learning rate, again after every decay_every steps",
        ("optimizer.decay_every", "optimizer.decay_factor"),
    ),
}
