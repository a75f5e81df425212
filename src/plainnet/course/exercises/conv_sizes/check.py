"""Checks of `conv-sizes`."""

from plainnet.course.exercise import Exercise, Fault

EXERCISE = Exercise(
    title="predict sizes and numbers of weights",
    place="Why it is worth it",
    needs=("first", "pooled", "second", "weights", "all_second"),
    tells=False,
    hints=(
        "A window of K fits into H - K + 1 places. Pooling halves.",
        "With padding P and stride S: (H + 2 P - K) // S + 1. A filter has K * K * C weights, C being the channels that come in.",
        "first = 30, pooled = 15, second = (15 + 2 - 3) // 2 + 1; the second convolution gets 16 channels.",
    ),
    faults=(
        Fault("no-plus-1", "first = 34 - 5 + 1", "first = 34 - 5", "The window fits into H - K + 1 places: count the first one too."),
        Fault("same-size", "first = 34 - 5 + 1", "first = 34", "Without padding the map is smaller than the picture."),
        Fault("padding-once", "(pooled + 2 * 1 - 3)", "(pooled + 1 - 3)", "The padding is on both sides: add 2 P."),
        Fault("stride-ignored", "(pooled + 2 * 1 - 3) // 2 + 1", "(pooled + 2 * 1 - 3) + 1", "With stride 2 the window moves by two pixels: half as many places."),
        Fault("one-channel", "5 * 5 * 3 * 16", "5 * 5 * 16", "Each filter has weights for all 3 channels."),
        Fault("bias-missing", "3 * 3 * 16 * 8 + 8", "3 * 3 * 16 * 8", "The 8 biases are missing."),
        Fault("three-channels", "3 * 3 * 16 * 8 + 8", "3 * 3 * 3 * 8 + 8", "The second convolution gets 16 channels, the maps of the first."),
        Fault("with-biases", "5 * 5 * 3 * 16", "5 * 5 * 3 * 16 + 16", "The biases of the first convolution are not asked for."),
    ),
)


def observe(answer, rng):
    for name in EXERCISE.needs:
        yield name, lambda: getattr(answer, name)
