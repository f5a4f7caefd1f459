"""What a task can name: scenes, noises, inputs, targets."""

from jaxbox.config.rows import IMAGE, Row

MARGINS = ("task.margin_left", "task.margin_right", "task.margin_top", "task.margin_bottom")
CIRCLES = ("task.box_size", "task.smallest_box", "task.distractors")

SCENES = {
    "box": Row(
        "jaxbox.task.scenes.box",
        "one white box on black, its centre the target",
        (*IMAGE, "task.box_size", *MARGINS, "render"),
    ),
    "subpixel_box": Row(
        "jaxbox.task.scenes.subpixel_box",
        "a box that starts between pixels, anti-aliased",
        (*IMAGE, "task.box_size", "task.subpixels", *MARGINS),
    ),
    "random_size_box": Row(
        "jaxbox.task.scenes.random_size_box",
        "a box whose side is drawn, its centre the target; half-lit edges where it falls between pixels",
        (*IMAGE, "task.box_size", "task.smallest_box", *MARGINS),
    ),
    "overhanging_box": Row(
        "jaxbox.task.scenes.overhanging_box",
        "a box that may leave the image; the target is the centre of the whole box",
        (*IMAGE, "task.box_size", "task.overhang"),
    ),
    "red_box": Row(
        "jaxbox.task.scenes.red_box",
        "a red box over circles of random colour, size and place; needs 3 channels",
        (*IMAGE, *CIRCLES),
    ),
    "grey_box": Row(
        "jaxbox.task.scenes.grey_box",
        "the same with one law of greys for box and circles: only shape tells",
        (*IMAGE, *CIRCLES),
    ),
    "dots": Row(
        "jaxbox.task.scenes.dots",
        "dots drawn one over another; the first, which is white, is the target",
        (*IMAGE, "task.box_size", "task.distractors"),
    ),
    "pixel": Row("jaxbox.task.scenes.pixel", "one lit pixel (Liu et al., 2018)", (*IMAGE, *MARGINS, "render")),
}
NOISES = {
    "none": Row("jaxbox.task.noises:NONE", "clean images", ("render",)),
    "white": Row("jaxbox.task.noises:WHITE", "independent Gaussian noise on every pixel", ("task.noise_level",)),
    "salt_pepper": Row(
        "jaxbox.task.noises:SALT_PEPPER", "pixels replaced by 0 or 1", ("task.noise_level", "task.salt")
    ),
}
INPUTS = {
    "unit": Row("jaxbox.task.inputs:unit", "[0, 1]", ("render",)),
    "byte": Row("jaxbox.task.inputs:byte", "[0, 255]", ("render",)),
    "dimmed": Row("jaxbox.task.inputs:dimmed", "contrast times the pixel", ("task.contrast", "render")),
    "inverted": Row("jaxbox.task.inputs:inverted", "1 - pixel", ("render",)),
    "standardized": Row(
        "jaxbox.task.inputs:standardized", "population mean 0 and variance 1 over all pixels", ("render",)
    ),
    "checkerboard": Row("jaxbox.task.inputs:checkerboard", "the sign of every other pixel flipped"),
    "mean_subtracted": Row("jaxbox.task.inputs:mean_subtracted", "less the population's mean image"),
    "pixel_standardized": Row(
        "jaxbox.task.inputs:pixel_standardized", "population mean 0 and variance 1 of every pixel by itself"
    ),
    "image_standardized": Row("jaxbox.task.inputs:image_standardized", "mean 0 and variance 1 of every image"),
    "stretched": Row("jaxbox.task.inputs:stretched", "contrast stretched: every image from 0 to 1"),
    "equalized": Row("jaxbox.task.inputs:equalized", "histogram of every image equalised, from 0 to 1"),
}
TARGETS = {
    "symmetric": Row("jaxbox.task.targets.affine:symmetric", "the whole image is [-1, 1]"),
    "unit": Row("jaxbox.task.targets.affine:unit", "the whole image is [0, 1]"),
    "pixels": Row("jaxbox.task.targets.affine:pixels", "pixels from the image's top-left corner"),
    "centred_pixels": Row("jaxbox.task.targets.affine:centred_pixels", "pixels from the image's middle"),
    "standardized": Row("jaxbox.task.targets.affine:standardized", "mean 0 and variance 1 over all positions"),
    "quantile": Row("jaxbox.task.targets.curved:quantile", "share of positions that are less: uniform on [0, 1]"),
    "logit": Row("jaxbox.task.targets.curved:logit", "ln(u / (1 - u)), u the image's [0, 1] less 1% at both ends"),
    "cell": Row("jaxbox.task.targets.cells:cell", "position as a class; predicts the probabilities' mean"),
    "cell_mode": Row("jaxbox.task.targets.cells:cell_mode", "position as a class; predicts the most probable"),
}
