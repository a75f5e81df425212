"""Data: the IDX reader, labelled images, and MNIST itself."""
