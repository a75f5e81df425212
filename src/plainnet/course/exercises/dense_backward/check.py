"""Checks of `dense-backward`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="a dense layer, backward",
    place="A gradient has the shape of its array",
    needs=("Dense",),
    points=2,
    hints=(
        "Each gradient has the shape of what it belongs to: dW (D, M), db (M,), dx (N, D). What products give these shapes?",
        "dW sums over the examples, db too; dx sums over the neurons.",
        "self.dW = self.x.T @ dy; self.db = dy.sum(axis=0); return dy @ self.W.T",
    ),
    faults=(
        Fault("bias-gradient-averaged", "dy.sum(axis=0)", "dy.mean(axis=0)", "db is a mean over the batch; it is the sum, since the bias serves every example."),
        Fault("bias-gradient-not-summed", "dy.sum(axis=0)", "dy", "db still has the batch dimension; sum over the rows."),
        Fault("bias-summed-over-neurons", "dy.sum(axis=0)", "dy.sum(axis=1)", "db is summed over the neurons; sum over the examples, axis=0."),
        Fault("bias-summed-to-one-number", "dy.sum(axis=0)", "dy.sum()", "db is a single number; sum over the examples only, with axis=0."),
        Fault("weight-not-transposed-in-dx", "self.W.T", "self.W", "dx uses W where it needs W^T; with D = M the shapes fit all the same."),
        Fault("gradient-divided-twice", "self.x.T @ dy", "self.x.T @ dy / len(dy)", "dW is divided by N. The loss does that, in dy already; here it is a sum."),
        Fault("transposed-gradient", "self.x.T @ dy", "dy.T @ self.x", "dW is transposed: it should have the shape of W, (D, M)."),
        Fault("sign-flipped", "self.x.T @ dy", "-self.x.T @ dy", "dW has the opposite sign. The minus belongs into the update."),
        Fault("dx-not-returned", "return dy @ self.W.T", "self.dx = dy @ self.W.T", "backward does not return dx; the layer below needs it."),
        Fault("last-example-only", "self.x.T @ dy", "np.outer(self.x[-1], dy[-1])", "dW is taken from the last example only; sum over all of them."),
        Fault('accumulates', 'self.dW = self.x.T @ dy', 'self.dW = getattr(self, "dW", 0) + self.x.T @ dy', 'dW adds up from batch to batch; each backward pass starts from 0.'),
        Fault('updates', 'self.dW = self.x.T @ dy\n', 'self.dW = self.x.T @ dy\n        self.W = self.W - 0.1 * self.dW\n', 'backward changes W. It only computes gradients; the update comes later, and dx needs the old W.'),
    ),
)


def observe(answer, rng):
    for N, D, M in ((4, 3, 2), (3, 3, 3), (1, 2, 5)):
        x, dy, W, b = rng.normal(size=(N, D)), rng.normal(size=(N, M)), rng.normal(size=(D, M)), rng.normal(size=M)

        def used():
            layer = answer.Dense(W.copy(), b.copy())
            layer.forward(x.copy())
            return layer, layer.backward(dy.copy())

        at = f"for N = {N}, D = {D}, M = {M}"
        yield f"dW {at}", lambda: used()[0].dW
        yield f"db {at}", lambda: used()[0].db
        yield f"dx {at}", lambda: used()[1]

        def again():
            layer, _ = used()
            layer.forward(2 * x)
            layer.backward(dy.copy())
            return layer

        yield f"dW of a second batch {at}", lambda: again().dW
        yield f"W and b as they were {at}", lambda: bool((again().W == W).all() and (again().b == b).all())
