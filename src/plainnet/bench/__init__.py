"""The benchmark: our own figures beside those of our peers, all measured in one interleaved run."""
