"""Turns any picture of digits (photograph, scan or drawing) into images like those of MNIST.

`paper` removes the paper, whatever its color and light; `components` finds the drawn shapes, and leaves out frames,
lines and edges; `placing` gives each digit the size, thickness and position usual in MNIST; `reading` combines these
steps, and says why if it finds no digit. `strokes` does the same for drawings, and `likeness` judges whether a shape is
a digit at all.
"""
