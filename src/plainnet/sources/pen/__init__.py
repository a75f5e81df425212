"""A pen on paper: from any picture of digits, photographed, scanned or drawn, to images made the way MNIST's were.

`paper` takes away the paper, whatever its color and light; `components` finds what is drawn, and leaves out frames,
lines and edges; `placing` brings each digit to MNIST's size, thickness and place; `reading` puts the steps together,
and says why if there is no digit to be read.
"""
