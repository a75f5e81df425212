"""The catalogue of faults in hand-written backpropagation: a name, the right formula, and a lesson for each.

`as_page` explains the notation.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One kind of fault: what is wrong, the right formula, and the lesson."""

    title: str
    formula: str
    lesson: str


_BATCH_NORM = "dx = (dxh - mean(dxh) - xh mean(dxh xh)) / sqrt(var + eps), where xh is the normalized x, gamma the learned scale, and dxh = dy gamma"

CATALOGUE: dict[str, Fault] = {
    "gradient-not-divided-by-the-batch": Fault(
        "the loss is a mean over the batch, but its gradient is a sum",
        "the gradient of each example, divided by N: dz = (p - onehot) / N for softmax with cross-entropy",
        "The direction is right, so training seems to work, but every step is N times as large as the learning rate says. "
        "Larger networks then seem to need smaller learning rates, and clipping seems to help.",
    ),
    "gradient-divided-twice": Fault(
        "the gradient is divided by the batch size once too often",
        "divide by N in one place only: the gradient of the loss",
        "If the loss already divides by N, every gradient below it is a mean. Dividing again in a layer makes that layer "
        "learn N times too slowly.",
    ),
    "short-batch-divided-by-the-full-size": Fault(
        "the last batch is smaller, but its gradient is divided by the full batch size",
        "divide by the number of examples in this batch, len(x)",
        "5,000 examples in batches of 64 leave a last batch of 8. Its gradient is then an eighth of what it should be.",
    ),
    "sign-flipped": Fault(
        "the gradient has the opposite sign",
        "backward returns dL/dw, and the update subtracts it: w = w - rate dL/dw",
        "The minus sign belongs in the update or in the derivative of -log p, not in a layer. One layer with a flipped sign "
        "climbs while the others descend.",
    ),
    "bias-gradient-averaged": Fault(
        "the bias gradient is a mean over the batch",
        "db = sum_n dy_n",
        "The bias is added to every example, so its gradient is the sum over all examples. dy already contains the division by the batch size.",
    ),
    "bias-gradient-not-summed": Fault(
        "the bias gradient still has the batch dimension",
        "db = sum_n dy_n, of shape (M,)",
        "In forward, broadcasting adds one bias to all examples. Backward has to sum over the axis that was broadcast.",
    ),
    "weight-not-transposed-in-dx": Fault(
        "dx uses the weights, but it needs their transpose",
        "dx = dy W^T for y = x W",
        "With a square weight matrix the shapes fit either way, so NumPy raises no error. Test with layers of different sizes.",
    ),
    "relu-mask-missing": Fault(
        "the gradient also passes through units that ReLU set to 0",
        "dx = dy where x > 0, else 0",
        "A unit that gave 0 did not influence the loss, so no gradient may flow back through it.",
    ),
    "relu-mask-inclusive-on-output": Fault(
        "the mask is y >= 0 with the output y, which is always true",
        "dx = dy where y > 0, else 0",
        "The output of ReLU is never negative, so y >= 0 masks nothing. A mask made from the output needs y > 0.",
    ),
    "relu-mask-from-wrong-array": Fault(
        "the mask is made from the gradient instead of the input",
        "dx = dy where x > 0, not where dy > 0",
        "The gradient passes if the unit's input was positive in forward. The sign of the gradient says nothing about that.",
    ),
    "softmax-over-the-whole-batch": Fault(
        "softmax is normalized over the whole batch, not over each row",
        "p_nk = exp z_nk / sum_j exp z_nj: sum along each row, with axis=1, keepdims=True",
        "Each example has its own distribution. If the whole batch is normalized together, the examples compete with each other. "
        "The network still learns, but less well.",
    ),
    "softmax-without-max-shift": Fault(
        "softmax overflows for large logits",
        "p = exp(z - max z) / sum exp(z - max z), with the maximum of each row",
        "exp(710) is infinite in float64, exp(89) in float32. Subtracting the maximum does not change the result, and no exponential exceeds exp(0).",
    ),
    "log-of-zero": Fault(
        "the loss is infinite when a probability underflows",
        "L = log(sum_j exp(z_j - max)) - (z_label - max), from the logits",
        "A probability below 1e-324 is stored as 0, and its logarithm is -inf. If you compute the loss from the logits, you never "
        "take the logarithm of a small number.",
    ),
    "one-hot-missing": Fault(
        "the one-hot label is not subtracted in the gradient",
        "dz = (p - onehot) / N",
        "Without the label, every logit is pushed down, and nothing tells the network which class is right.",
    ),
    "labels-off-by-one": Fault(
        "the label is shifted by one class",
        "subtract 1 at [n, label_n], with classes counted from 0",
        "Only labels that run from 1 to K need label - 1 as the index. For label 0, the index -1 is the last class, so NumPy raises no error.",
    ),
    "sigmoid-derivative-applied-twice": Fault(
        "the derivative of the sigmoid is evaluated at the output",
        "dx = dy y (1 - y) with the output y",
        "The formula s(x) (1 - s(x)), with the sigmoid s, takes the input; y (1 - y) takes the output. Do not give the output to the first formula.",
    ),
    "sigmoid-derivative-of-the-input": Fault(
        "the derivative of the sigmoid is computed as x (1 - x) from the input",
        "dx = dy y (1 - y) with the output y",
        "The short form y (1 - y) needs the output. With the input, the result may even be negative.",
    ),
    "tanh-derivative-applied-twice": Fault(
        "the derivative of tanh is evaluated at the output",
        "dx = dy (1 - y^2) with the output y",
        "tanh'(x) = 1 - tanh(x)^2 takes the input; 1 - y^2 takes the output. Do not give the output to the first formula.",
    ),
    "tanh-derivative-of-the-input": Fault(
        "the derivative of tanh is computed as 1 - x^2 from the input",
        "dx = dy (1 - y^2) with the output y",
        "The short form 1 - y^2 needs the output. With an input above 1, the result is negative.",
    ),
    "sigmoid-derivative-missing": Fault(
        "the derivative of the sigmoid is missing",
        "dx = dy y (1 - y)",
        "y (1 - y) is at most 1/4. Without this factor, the gradient that reaches the layers below is at least four times too large and points in another direction.",
    ),
    "tanh-derivative-missing": Fault(
        "the derivative of tanh is missing",
        "dx = dy (1 - y^2)",
        "If a unit is saturated (its output is close to -1 or 1), almost no gradient should reach the layers below. Without the factor, all of it does.",
    ),
    "l2-factor-wrong": Fault(
        "the gradient of the L2 penalty has the wrong factor",
        "lambda w for a penalty of lambda/2 w^2, and 2 lambda w for lambda w^2",
        "The factor 1/2 is a convention, but the loss and the gradient must follow the same one.",
    ),
    "l2-missing-in-the-gradient": Fault(
        "the L2 penalty is in the loss but not in the gradient",
        "dW = data gradient + lambda W",
        "The reported loss falls more slowly than it could, and the penalty does not shrink the weights at all.",
    ),
    "l2-applied-to-biases": Fault(
        "the gradient of the L2 penalty is added to the biases too",
        "db = data gradient alone, if the penalty does not include the biases",
        "Penalties usually leave out biases: they are few, and do not make a function less smooth. Loss and gradient must agree on this.",
    ),
    "dropout-scale-missing": Fault(
        "the backward pass lacks the scale 1 / keep",
        "dx = dy mask / keep",
        "Backward multiplies by the same factors as forward: the mask and the scale.",
    ),
    "dropout-mask-redrawn": Fault(
        "the backward pass draws a new dropout mask",
        "dx = dy mask / keep, with the mask of forward",
        "The gradient must belong to the function that forward computed. Store the mask in forward and use it again.",
    ),
    "batch-norm-mean-path-missing": Fault(
        "the gradient does not flow through the batch mean",
        _BATCH_NORM,
        "Every example changes the mean of its batch, and so changes all other outputs. Check that dx sums to 0 over the batch.",
    ),
    "batch-norm-variance-path-missing": Fault(
        "the gradient does not flow through the batch variance",
        _BATCH_NORM,
        "Normalization cancels any scaling of the batch, so sum(dx xh) must be nearly 0. Without this path it is not.",
    ),
    "batch-norm-statistics-constant": Fault(
        "batch mean and variance are treated as constants",
        _BATCH_NORM,
        "Treating them as constants is right in evaluation, with running statistics. In training, mean and variance are functions of the batch.",
    ),
    "batch-norm-wrong-variance": Fault(
        "backward divides by a different variance than forward",
        "1 / sqrt(var + eps), the same number that forward used",
        "It is easy to divide by N in one place and N - 1 in the other, or to forget eps or the square root. Store what forward computed "
        "instead of computing it again.",
    ),
    "max-pool-gradient-to-every-tie": Fault(
        "if several inputs of a window share the maximum, each gets the whole gradient",
        "one maximum of each window gets dy, or all maxima share it",
        "x == max is true for all of them. After ReLU, windows of equal zeros are common, and such a window passes its gradient several times.",
    ),
    "max-pool-first-image-only": Fault(
        "only the first image of the batch gets a gradient",
        "loop or index over all images of the batch",
        "A test with a batch of one image does not show this. Test with three.",
    ),
    "convolution-filters-not-flipped": Fault(
        "dx uses flipped filters where it needs unflipped ones, or unflipped filters where it needs flipped ones",
        "dx[i] = sum_k dy[i - k] W[k]: spread each dy over its window with W as it is",
        "If you compute dx as a correlation with the padded dy, flip the filters. If you add up dx window by window, use the filters as they are.",
    ),
    "stride-ignored-in-backward": Fault(
        "backward ignores the stride and assigns gradients to inputs as if the stride were 1",
        "output number i comes from the inputs number s i + k, with the stride s and the index k in the filter",
        "At stride 1 the result is right, so a test at stride 1 does not show this.",
    ),
    "padding-ignored-in-backward": Fault(
        "backward ignores the padding of forward",
        "compute on the padded array, then return dx_padded[pad : pad + H]",
        "Without the offset, every gradient is shifted by the padding. The result is right without padding, so test with padding.",
    ),
    "height-and-width-exchanged": Fault(
        "height and width are exchanged in the backward pass",
        "the row index runs over the height, the column index over the width",
        "Square images hide this. Test with images that are not square.",
    ),
    "input-edited-in-place": Fault(
        "the call changes its argument in place",
        "work on a copy, or write to a new array",
        "The caller still needs its array. The layer below stores it for its own backward pass, and the next epoch reads it again.",
    ),
    "cached-previous-batch": Fault(
        "backward uses arrays from an earlier forward pass",
        "store x again in every forward pass",
        "The first batch is right, but all later ones are wrong. A test that calls forward only once does not show this.",
    ),
    "gradient-accumulated": Fault(
        "gradients accumulate from call to call",
        "dW = ..., not dW = dW + ...",
        "Accumulating gradients is useful if the code sets them to zero before each batch. Code with this fault never does.",
    ),
    "bias-gradient-summed-over-units": Fault(
        "the bias gradient is one number, summed over the units too",
        "db = sum_n dy_n: sum over the examples only, axis=0 if examples are rows, axis=1 with keepdims=True if they are columns",
        "np.sum without an axis adds up all elements. Broadcasting then gives every bias of the layer the same step, without an error.",
    ),
    "input-gradient-missing": Fault(
        "backward gives no gradient with respect to the input",
        "return dx = dL/dx, which the layer below needs",
        "A layer that stores dW and db but does not return dx stops backpropagation. No layer below it can learn.",
    ),
    "parameter-gradient-missing": Fault(
        "a parameter that forward uses gets no gradient",
        "dL/dw for every w that forward uses",
        "A parameter without a gradient keeps its first value. A common cause is `grad = x`, which only binds the name to a new array, "
        "instead of `grad[...] = x`, which writes into the array that the optimizer reads.",
    ),
    "softmax-jacobian-diagonal-only": Fault(
        "only the diagonal of the Jacobian of softmax is used",
        "dz = p (dp - sum_j dp_j p_j): every output depends on every logit",
        "p (1 - p) is the derivative of the sigmoid. In softmax, a logit that grows also lowers all other probabilities. Together with "
        "cross-entropy, the whole gradient becomes p - onehot.",
    ),
    "softmax-applied-twice": Fault(
        "softmax is applied twice, because the loss applies it to the output of a softmax",
        "L = -log softmax(z)_label, with the logits z",
        "The second softmax gets numbers between 0 and 1. The loss cannot fall below log(1 + (K-1)/e), and p - onehot is not its gradient.",
    ),
    "relu-mask-precedence": Fault(
        "parentheses are missing, so dy * x > 0 means (dy * x) > 0",
        "dx = dy * (x > 0), with parentheses",
        "In Python, * binds more strongly than >. So dy * x > 0 compares the product, and gives True and False instead of a gradient.",
    ),
    "reported-loss-not-descended": Fault(
        "the reported loss is not the loss that training minimizes",
        "gradient = d(reported loss) / d(parameters)",
        "If the two differ by a factor, only the size of the steps changes. If they are different losses, the steps do not lead to the minimum "
        "of the reported loss. Plot the loss that is minimized, or say that you plot another one.",
    ),
    "gradient-rebound": Fault(
        "backward replaces the gradient array instead of writing into it",
        "grad[...] = x^T dy, or np.matmul(x.T, dy, out=grad)",
        "The optimizer reads the old array. Binding the name to a new array does not change the old one. The layer runs, "
        "but learns nothing.",
    ),
    "weights-already-updated": Fault(
        "a gradient is computed with weights that the same step has already updated",
        "first dx = dy W^T, then W = W - rate dW",
        "The error is as large as the step, so nobody notices it at small learning rates. Compute all gradients before you update anything.",
    ),
    "momentum-sign": Fault(
        "the velocity of momentum has the wrong sign",
        "v = momentum v - rate g, w = w + v",
        "With the wrong sign, each step undoes part of the last one, and momentum slows the training down.",
    ),
    "clip-after-update": Fault(
        "clipping is applied after the update",
        "clip g before the update uses it",
        "Clipping after the update limits the weights instead of their gradients, so no weight can grow beyond the limit.",
    ),
}


def lesson(slug: str) -> str:
    """Return the link to the lesson about a fault."""
    return f"docs/faults.md#{slug}"


def as_page() -> str:
    """Return the whole catalogue as a Markdown page."""
    parts = [
        "# Faults of backpropagation\n\nThese are the faults that `plainnet doctor` knows by name. Notation: N is the number of examples, K the "
        "number of\nclasses, M the number of units, x the input, y the output, W the weights, b the biases, z the logits (outputs before\nsoftmax), and p = softmax(z). onehot is 1 for the right class and 0 for the others. dy, dx, dW and db are the gradients\n"
        "of the loss with respect to y, x, W and b. lambda is the strength of the penalty, keep the fraction of the units that\n"
        "dropout keeps, and eps a small constant. A layer is *below* another if it is closer to the input.\n"
    ]
    for slug, fault in CATALOGUE.items():
        parts.append(f"## {slug}\n\nThe fault: {fault.title}.\n\n    {fault.formula}\n\n{fault.lesson}\n")
    return "\n".join(parts)
