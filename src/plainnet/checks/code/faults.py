"""The catalogue: what goes wrong in hand-written backpropagation, by name, with the formula as it should be.

Letters: N examples, x the input, y the output, dy and dx the gradients of the loss by them, z logits, p softmax(z).
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One kind of fault: what it is, the right formula, and what there is to learn from it."""

    title: str
    formula: str
    lesson: str


_BATCH_NORM = "dx = (dxh - mean(dxh) - xh mean(dxh xh)) / sqrt(var + eps), with xh normalized and dxh = dy gamma"

CATALOGUE: dict[str, Fault] = {
    "gradient-not-divided-by-the-batch": Fault(
        "the loss is a mean over the batch, its gradient a sum",
        "what comes from one example, divided by N: dz = (p - onehot) / N for softmax with cross-entropy",
        "The direction is right, so training seems to work; but every step is N times as large as the learning rate says. "
        "Larger networks then seem to need smaller rates, and clipping seems to help.",
    ),
    "gradient-divided-twice": Fault(
        "the gradient is divided by the batch size once more than the loss",
        "divide by N in one place only: the gradient of the loss",
        "If the loss already divides by N, every gradient below it is a mean. Dividing again in a layer makes that layer "
        "learn N times too slowly.",
    ),
    "short-batch-divided-by-the-full-size": Fault(
        "a last batch of fewer examples is divided by the full batch size",
        "divide by the number of examples that there are, len(x)",
        "5,000 examples in batches of 64 leave 8: their gradient comes out an eighth of what it should be.",
    ),
    "sign-flipped": Fault(
        "the gradient has the opposite sign",
        "dL/dw as it is; the update subtracts it: w = w - rate dL/dw",
        "A minus belongs into the update or into the derivative of -log p, not into a layer. One flipped layer climbs while "
        "the others descend.",
    ),
    "bias-gradient-averaged": Fault(
        "the bias gradient is a mean over the batch",
        "db = sum_n dy_n",
        "The bias is added to every example, so its gradient is the sum of theirs. The mean over the batch is already in dy.",
    ),
    "bias-gradient-not-summed": Fault(
        "the bias gradient still has the batch dimension",
        "db = sum_n dy_n, of shape (M,)",
        "Broadcasting let one bias serve all examples in forward; backward has to sum over what was broadcast.",
    ),
    "weight-not-transposed-in-dx": Fault(
        "dx uses the weights where it needs their transpose",
        "dx = dy W^T for y = x W",
        "With square weights the shapes fit either way and nothing complains. Test with layers of different sizes.",
    ),
    "relu-mask-missing": Fault(
        "the gradient passes where ReLU was closed",
        "dx = dy where x > 0, else 0",
        "Units that gave 0 did not influence the loss, so nothing may flow back through them.",
    ),
    "relu-mask-inclusive-on-output": Fault(
        "the mask is y >= 0 of the output, which is always true",
        "dx = dy where y > 0, else 0",
        "The output of ReLU is never negative: >= 0 masks nothing. With the output, the comparison has to be strict.",
    ),
    "relu-mask-from-wrong-array": Fault(
        "the mask is taken from the gradient",
        "dx = dy where x > 0, not where dy > 0",
        "What decides is whether the unit was open in forward. The sign of the gradient says nothing about that.",
    ),
    "softmax-over-the-whole-batch": Fault(
        "softmax is normalized over the whole batch, not over each row",
        "p_nk = exp z_nk / sum_j exp z_nj: keep the row with axis=1, keepdims=True",
        "Each example has a distribution of its own. Normalized together, examples compete with each other; the network still "
        "learns, only worse.",
    ),
    "softmax-without-max-shift": Fault(
        "softmax overflows for large logits",
        "p = exp(z - max z) / sum exp(z - max z), with the maximum of each row",
        "exp(710) is infinite in float64, exp(89) in float32. Subtracting the maximum cancels and leaves nothing above exp(0).",
    ),
    "log-of-zero": Fault(
        "the loss is infinite when a probability underflows",
        "L = log(sum_j exp(z_j - max)) - (z_label - max), from the logits",
        "A probability below 1e-324 is stored as 0, and its logarithm is -inf. From the logits the logarithm is never taken "
        "of a small number.",
    ),
    "one-hot-missing": Fault(
        "the gradient lacks the label",
        "dz = (p - onehot) / N",
        "Without the label every logit is pushed down, and nothing tells the classes apart.",
    ),
    "labels-off-by-one": Fault(
        "the label is shifted by one class",
        "subtract 1 at [n, label_n], with classes counted from 0",
        "Labels from 1 to K in an array from 0 to K-1: the index -1 is the last class, and nothing complains.",
    ),
    "sigmoid-derivative-applied-twice": Fault(
        "the derivative of the sigmoid is evaluated at the output",
        "dx = dy y (1 - y) with the output y",
        "sigmoid'(x) = s(x) (1 - s(x)) takes the input; y (1 - y) takes the output. Do not put the one into the other.",
    ),
    "sigmoid-derivative-of-the-input": Fault(
        "x (1 - x) is used with the input",
        "dx = dy y (1 - y) with the output y",
        "The short form y (1 - y) needs the output; with the input it is not even positive.",
    ),
    "tanh-derivative-applied-twice": Fault(
        "the derivative of tanh is evaluated at the output",
        "dx = dy (1 - y^2) with the output y",
        "tanh'(x) = 1 - tanh(x)^2 takes the input; 1 - y^2 takes the output.",
    ),
    "tanh-derivative-of-the-input": Fault(
        "1 - x^2 is used with the input",
        "dx = dy (1 - y^2) with the output y",
        "The short form 1 - y^2 needs the output; with an input above 1 it turns negative.",
    ),
    "sigmoid-derivative-missing": Fault(
        "the derivative of the sigmoid is left out",
        "dx = dy y (1 - y)",
        "y (1 - y) is at most 1/4: without it the gradient below is at least four times too large, and of another direction.",
    ),
    "tanh-derivative-missing": Fault(
        "the derivative of tanh is left out",
        "dx = dy (1 - y^2)",
        "Where a unit is saturated the gradient below should be near 0; without the factor it is passed on in full.",
    ),
    "l2-factor-wrong": Fault(
        "the gradient of the L2 penalty has the wrong factor",
        "lambda w for a penalty of lambda/2 w^2, and 2 lambda w for lambda w^2",
        "Whether there is a half is a convention; the loss and the gradient must follow the same one.",
    ),
    "l2-missing-in-the-gradient": Fault(
        "the penalty is in the loss but not in the gradient",
        "dW = data gradient + lambda W",
        "The reported loss falls more slowly than it could, and the weights are not held back at all.",
    ),
    "l2-applied-to-biases": Fault(
        "the gradient of the penalty is added to the biases as well",
        "db = data gradient alone, if the penalty leaves biases out",
        "Biases are few and do not make a function rougher; usually they are left out. Loss and gradient must agree on it.",
    ),
    "dropout-scale-missing": Fault(
        "the backward pass lacks the scale 1 / keep",
        "dx = dy mask / keep",
        "What forward multiplies by, backward multiplies by: mask and scale.",
    ),
    "dropout-mask-redrawn": Fault(
        "the backward pass draws a mask of its own",
        "dx = dy mask / keep, with the mask of forward",
        "The gradient belongs to the function that was computed; keep the mask.",
    ),
    "batch-norm-mean-path-missing": Fault(
        "the gradient does not flow through the mean",
        _BATCH_NORM,
        "Every example moves the mean of its batch, and through it all others. Check that dx sums to 0 over the batch.",
    ),
    "batch-norm-variance-path-missing": Fault(
        "the gradient does not flow through the variance",
        _BATCH_NORM,
        "Scaling a batch changes nothing after normalization, so sum(dx xh) must be nearly 0. Without this path it is not.",
    ),
    "batch-norm-statistics-constant": Fault(
        "mean and variance are treated as constants",
        _BATCH_NORM,
        "That is right when evaluating, with running statistics; while training they are functions of the batch.",
    ),
    "batch-norm-wrong-variance": Fault(
        "backward divides by another variance than forward",
        "1 / sqrt(var + eps), the very number that forward used",
        "N or N - 1, with or without eps, the variance or its root: keep what forward computed instead of computing it again.",
    ),
    "max-pool-gradient-to-every-tie": Fault(
        "every winner of a tie gets the whole gradient",
        "one winner of a window gets dy, or the winners share it",
        "x == max is true for all of them. After ReLU, windows of equal zeros are common, and their gradients multiply.",
    ),
    "max-pool-first-image-only": Fault(
        "only the first image of the batch gets a gradient",
        "the index of the image runs over the whole batch",
        "A test with a batch of one image passes. Test with three.",
    ),
    "convolution-filters-not-flipped": Fault(
        "dx correlates dy with filters that are turned the wrong way",
        "dx[i] = sum_k dy[i - k] W[k]: spread each dy over its window with W as it is",
        "As a correlation of the padded dy, this needs flipped filters; spread out window by window, it needs them as they are.",
    ),
    "stride-ignored-in-backward": Fault(
        "backward places outputs as if the stride were 1",
        "output p came from the inputs s p + k",
        "Everything agrees at stride 1, so a test at stride 1 sees nothing.",
    ),
    "padding-ignored-in-backward": Fault(
        "backward forgets the padding of forward",
        "compute on the padded array, then return dx_padded[pad : pad + H]",
        "Without the offset every gradient lies a pixel aside. Without padding, nothing is wrong: test with it.",
    ),
    "height-and-width-exchanged": Fault(
        "height and width change places in the backward pass",
        "rows go with the height, columns with the width",
        "Square images hide it. Try one check with images that are not.",
    ),
    "input-edited-in-place": Fault(
        "an argument is changed by the call",
        "work on a copy, or write to a new array",
        "The caller still needs its array: the layer below keeps it for its own backward pass, and the next epoch reads it again.",
    ),
    "cached-previous-batch": Fault(
        "backward uses the arrays of an earlier forward",
        "keep x anew in every forward",
        "The first batch is right, and all later ones are not; a test that calls forward once sees nothing.",
    ),
    "gradient-accumulated": Fault(
        "gradients add up from call to call",
        "dW = ..., not dW = dW + ...",
        "Accumulation is a feature where somebody zeroes the gradients before each batch. Nobody does here.",
    ),
    "bias-gradient-summed-over-units": Fault(
        "the bias gradient is one number, summed over the units as well",
        "db = sum_n dy_n: sum over the examples only, axis=0 for rows, axis=1 with keepdims=True for columns",
        "np.sum without an axis adds everything up. Broadcasting then gives every unit the same step, and nothing complains; the "
        "biases of a layer can no longer differ in how they learn.",
    ),
    "input-gradient-missing": Fault(
        "backward gives no gradient of the input",
        "return dx = dL/dx, which the layer below needs",
        "A layer that keeps dW and db but does not return dx stops backpropagation: nothing below it can learn.",
    ),
    "parameter-gradient-missing": Fault(
        "a parameter that forward uses gets no gradient",
        "dL/dw for every w that forward uses",
        "What gets no gradient keeps its first value. A rebound name (grad = ...) where an array should be written into "
        "(grad[...] = ...) looks right and is lost.",
    ),
    "softmax-jacobian-diagonal-only": Fault(
        "only the diagonal of the Jacobian of softmax is used",
        "dz = p (dp - sum_j dp_j p_j): every output depends on every logit",
        "p (1 - p) is the derivative of the sigmoid. In softmax a logit that grows takes from all other probabilities as well; with "
        "cross-entropy both together become p - onehot.",
    ),
    "softmax-applied-twice": Fault(
        "the loss takes a softmax of what is a softmax already",
        "L = -log softmax(z)_label, of the logits z",
        "The second softmax sees numbers between 0 and 1: no loss below log(1 + (K-1)/e), and p - y is not its gradient.",
    ),
    "relu-mask-precedence": Fault(
        "the comparison binds less than the product: (dy x) > 0",
        "dx = dy * (x > 0), with parentheses",
        "dy * x > 0 compares the product, and gives True and False instead of a gradient: ones and zeros.",
    ),
    "reported-loss-not-descended": Fault(
        "the loss that is reported is not the one that the gradient descends",
        "gradient = d(reported loss) / d(parameters)",
        "A factor changes the size of the steps only; another loss changes where they lead. What is plotted should be what is "
        "minimized, or say so.",
    ),
    "gradient-rebound": Fault(
        "a new array takes the place of the gradient instead of being written into it",
        "grad[...] = x^T dy, or np.matmul(x.T, dy, out=grad)",
        "Who reads the gradient holds the old array: a name that is bound to another one changes nothing there. The layer runs, "
        "and learns nothing.",
    ),
    "weights-already-updated": Fault(
        "a gradient is taken with weights that the same step has changed already",
        "first dx = dy W^T, then W = W - rate dW",
        "The error is as large as the step: at small rates nobody notices. Take all gradients before you change anything.",
    ),
    "momentum-sign": Fault(
        "the velocity enters with the wrong sign",
        "v = momentum v - rate g, w = w + v",
        "With the sign flipped each step undoes part of the last one: momentum becomes a brake.",
    ),
    "clip-after-update": Fault(
        "clipping is applied after the update",
        "clip g before it is used",
        "Clipping the weights instead of their gradients confines the network to a box.",
    ),
}


def lesson(slug: str) -> str:
    """Return the link to a fault's lesson."""
    return f"docs/faults.md#{slug}"


def as_page() -> str:
    """Return the whole catalogue as a page of Markdown."""
    parts = [
        "# Faults of backpropagation\n\nWhat `plainnet doctor` knows by name. Letters: N examples, x the input, y the "
        "output, dy and dx the gradients\nof the loss by them, z logits, p = softmax(z).\n"
    ]
    for slug, fault in CATALOGUE.items():
        parts.append(f"## {slug}\n\nThe fault: {fault.title}.\n\n    {fault.formula}\n\n{fault.lesson}\n")
    return "\n".join(parts)
