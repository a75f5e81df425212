"""The benchmark: plainnet's speed beside that of other libraries, all measured in one interleaved run."""
