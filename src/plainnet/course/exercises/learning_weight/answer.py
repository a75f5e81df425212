"""A weight that learns.

The model is y = w x with the loss (y - t)^2. Start at w, and take `steps` steps of gradient
descent, one example after the other: the first step uses xs[0] and ts[0], the next xs[1] and ts[1];
after the last example begin again with the first. Return w after each step, as a list.
"""


def learn(w, xs, ts, learning_rate, steps):
    ### BEGIN SOLUTION
    seen = []
    for step in range(steps):
        k = step % len(xs)
        dw = 2 * (w * xs[k] - ts[k]) * xs[k]
        w = w - learning_rate * dw
        seen.append(w)
    return seen
    ### END SOLUTION
