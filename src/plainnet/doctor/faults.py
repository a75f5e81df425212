"""The catalogue: what goes wrong in hand-written backpropagation, by name, with the formula as it should be."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One kind of fault: what it is, and the right formula."""

    title: str
    formula: str


CATALOGUE: dict[str, Fault] = {
    "gradient-not-divided-by-the-batch": Fault(
        "the loss is a mean over the batch, its gradient a sum", "dz = (p - y) / N for a mean over N examples"
    ),
    "gradient-divided-twice": Fault(
        "the gradient is divided by the batch size once more than the loss",
        "divide by N in one place only, the gradient of the loss",
    ),
    "sign-flipped": Fault("the gradient has the opposite sign", "dL/dw, so that w - rate dL/dw descends"),
    "bias-gradient-averaged": Fault("the bias gradient is a mean over the batch", "db = sum_n dy_n"),
    "bias-gradient-not-summed": Fault("the bias gradient still has the batch dimension", "db = sum_n dy_n, shape (M,)"),
    "weight-not-transposed-in-dx": Fault("dx uses the weights where it needs their transpose", "dx = dy W^T for y = x W"),
    "relu-mask-missing": Fault("the gradient passes where ReLU was closed", "dx = dy where x > 0, else 0"),
    "relu-mask-inclusive-on-output": Fault(
        "the mask is y >= 0 of the output, which is always true", "dx = dy where y > 0, else 0"
    ),
    "relu-mask-from-wrong-array": Fault("the mask is taken from the gradient", "dx = dy where x > 0, not where dy > 0"),
    "softmax-over-the-whole-batch": Fault(
        "softmax is normalized over the whole batch, not over each row", "p_nk = exp z_nk / sum_j exp z_nj"
    ),
    "softmax-without-max-shift": Fault(
        "softmax overflows for large logits", "p = exp(z - max z) / sum exp(z - max z), the maximum of each row"
    ),
    "log-of-zero": Fault(
        "the loss is infinite when a probability underflows", "L = log(sum_j exp z_j) - z_label, from the logits"
    ),
    "one-hot-missing": Fault("the gradient lacks the label", "dz = (p - y) / N with the one-hot label y"),
    "labels-off-by-one": Fault("the label is shifted by one class", "subtract 1 at [n, label_n], classes from 0"),
    "sigmoid-derivative-applied-twice": Fault(
        "sigmoid'(x) is evaluated at the output", "dx = dy y (1 - y) with y = sigmoid(x)"
    ),
    "sigmoid-derivative-of-the-input": Fault("x (1 - x) is used with the input", "dx = dy y (1 - y), y the output"),
    "tanh-derivative-applied-twice": Fault("tanh'(x) is evaluated at the output", "dx = dy (1 - y^2) with y = tanh(x)"),
    "tanh-derivative-of-the-input": Fault("1 - x^2 is used with the input", "dx = dy (1 - y^2), y the output"),
    "l2-factor-wrong": Fault(
        "the gradient of the L2 penalty has the wrong factor", "lambda w for lambda/2 w^2, 2 lambda w for lambda w^2"
    ),
    "l2-missing-in-the-gradient": Fault("the penalty is in the loss but not in the gradient", "dw + lambda w"),
    "l2-applied-to-biases": Fault("the penalty's gradient is added to biases", "biases are not in the penalty: db alone"),
    "dropout-scale-missing": Fault("the backward pass lacks the scale 1 / keep", "dx = dy mask / keep"),
    "dropout-mask-redrawn": Fault("the backward pass draws a mask of its own", "dx = dy mask / keep, the same mask"),
    "batch-norm-mean-path-missing": Fault(
        "the gradient does not flow through the mean",
        "dx = (dxh - mean(dxh) - xh mean(dxh xh)) / sqrt(var + eps)",
    ),
    "batch-norm-variance-path-missing": Fault(
        "the gradient does not flow through the variance",
        "dx = (dxh - mean(dxh) - xh mean(dxh xh)) / sqrt(var + eps)",
    ),
    "batch-norm-statistics-constant": Fault(
        "mean and variance are treated as constants", "dx = (dxh - mean(dxh) - xh mean(dxh xh)) / sqrt(var + eps)"
    ),
    "batch-norm-wrong-variance": Fault(
        "backward divides by another variance than forward", "1 / sqrt(var + eps), the same as in forward"
    ),
    "max-pool-gradient-to-every-tie": Fault(
        "every winner of a tie gets the whole gradient", "one winner a window gets dy, or the winners share it"
    ),
    "max-pool-first-image-only": Fault("only the first image of the batch gets a gradient", "index n in every window"),
    "convolution-filters-not-flipped": Fault(
        "dx correlates dy with filters that are turned the wrong way",
        "dx[i] = sum_k dy[i - k] W[k]: a full correlation with flipped filters",
    ),
    "stride-ignored-in-backward": Fault("backward places outputs as if the stride were 1", "output p came from s p + k"),
    "padding-ignored-in-backward": Fault("backward forgets the padding of forward", "dx = dx_padded without its border"),
    "input-edited-in-place": Fault("an argument is changed by the call", "work on a copy, or on a new array"),
    "cached-previous-batch": Fault("backward uses the arrays of an earlier forward", "keep x anew in every forward"),
    "gradient-accumulated": Fault("gradients add up from call to call", "dW = ..., not dW += ..."),
    "momentum-sign": Fault("the velocity has the wrong sign", "v = m v - rate g, w += v"),
    "clip-after-update": Fault("clipping is applied after the update", "clip g before it is used"),
}  # fmt: skip


def lesson(slug: str) -> str:
    """Return the link to a fault's lesson."""
    return f"docs/faults.md#{slug}"
