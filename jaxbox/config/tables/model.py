"""What a model can name: architectures, and what their layers are made of."""

from jaxbox.config.rows import Row

LAYERS = ("model.output", "model.initialization", "model.initial_scale", "model.initial_bias")
HIDDEN = ("model.activation", "model.normalization", "model.dropout", "model.dropout_rate")
CONVOLUTION = ("model.features", "model.kernel_size", "model.stride", "model.padding")

MODELS = {
    "cnn": Row(
        "jaxbox.models.cnn:CNN",
        "strided convolutions, then one dense layer or more",
        (*CONVOLUTION, "model.dense", *HIDDEN, "model.pooling", "model.shortcut", *LAYERS, "render"),
    ),
    "coordconv": Row(
        "jaxbox.models.coordconv:CoordConv",
        "coordinates as channels, 1 x 1 and larger convolutions, the largest of each map (Liu et al., 2018)",
        ("model.features", "model.kernel_size", *HIDDEN, *LAYERS),
    ),
    "linear": Row("jaxbox.models.linear:Linear", "one dense layer on the pixels", (*LAYERS, "render")),
    "mlp": Row(
        "jaxbox.models.mlp:MLP",
        "hidden layers of dense units",
        ("model.hidden", *HIDDEN, "model.shortcut", *LAYERS, "render"),
    ),
    "soft_argmax": Row(
        "jaxbox.models.soft_argmax:SoftArgmax",
        "convolutions to a heat map, and its mean place (Nibali et al., 2018)",
        ("model.features", "model.kernel_size", "model.padding", *HIDDEN, *LAYERS, "render"),
    ),
}
ACTIVATIONS = {
    "relu": Row("jax.nn:relu", "max(x, 0); its dead units are measured"),
    "sigmoid": Row("jax.nn:sigmoid", "1 / (1 + exp(-x))"),
    "tanh": Row("jax.numpy:tanh", "hyperbolic tangent"),
    "gelu": Row("jax.nn:gelu", "Gaussian error linear unit, tanh approximation"),
    "leaky_relu": Row("jax.nn:leaky_relu", "x, or 0.01 x below 0 (Maas et al., 2013)"),
    "elu": Row("jax.nn:elu", "x, or exp(x) - 1 below 0 (Clevert et al., 2016)"),
    "silu": Row("jax.nn:silu", "x / (1 + exp(-x)), also called swish (Elfwing et al., 2018)"),
    "identity": Row("jaxbox.layers.activation:identity", "x: layers without an activation are linear together"),
}
OUTPUTS = {
    "identity": Row("jaxbox.layers.activation:identity", "x"),
    "relu": Row("jax.nn:relu", "max(x, 0); its dead outputs are measured as the last layer's"),
    "sigmoid": Row("jax.nn:sigmoid", "1 / (1 + exp(-x)), between 0 and 1"),
    "tanh": Row("jax.numpy:tanh", "hyperbolic tangent, between -1 and 1"),
    "softplus": Row("jax.nn:softplus", "ln(1 + exp(x)), above 0"),
}
INITIALIZATIONS = {
    "glorot": Row("jaxbox.layers.start:glorot", "uniform, variance 2 / (fan in + fan out) (Glorot and Bengio, 2010)"),
    "he": Row("jaxbox.layers.start:he", "uniform, variance 2 / fan in (He et al., 2015)"),
    "lecun": Row("jaxbox.layers.start:lecun", "uniform, variance 1 / fan in (LeCun et al., 1998)"),
    "orthogonal": Row("jaxbox.layers.start:orthogonal", "orthogonal units of length one (Saxe et al., 2014)"),
    "asymmetric": Row(
        "jaxbox.layers.start:asymmetric", "against dying relus: one weight or bias a unit is positive (Lu et al., 2019)"
    ),
}
POOLINGS = {
    "none": Row("jaxbox.layers.pooling:Unpooled", "maps stay as they are", ("render",)),
    "max": Row("jaxbox.layers.pooling:MaxPooling", "the largest of every 2 x 2 pixels"),
    "average": Row("jaxbox.layers.pooling:AveragePooling", "the mean of every 2 x 2 pixels", ("render",)),
}
NORMALIZATIONS = {
    "none": Row("jaxbox.layers.normalization:Unnormalized", "values stay as they are", ("render",)),
    "batch": Row(
        "jaxbox.layers.normalization:BatchNormalization",
        "each unit over the batch and the map; running statistics at the end (Ioffe and Szegedy, 2015)",
    ),
    "layer": Row(
        "jaxbox.layers.normalization:LayerNormalization",
        "the units of an example, or of a pixel of its map (Ba et al., 2016)",
        ("render",),
    ),
}
SHORTCUTS = {
    "none": Row("jaxbox.layers.shortcut:NoShortcut", "nothing", ("render",)),
    "identity": Row(
        "jaxbox.layers.shortcut:IdentityShortcut",
        "what the layer was given is added to what it gives, where both have one shape (He et al., 2016)",
    ),
}
DROPOUTS = {
    "none": Row("jaxbox.layers.dropout:Undropped", "nothing", ("render",)),
    "units": Row(
        "jaxbox.layers.dropout:Dropout", "each number by itself (Srivastava et al., 2014)", ("model.dropout_rate",)
    ),
}
