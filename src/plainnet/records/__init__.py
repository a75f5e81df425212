"""Records: what runs came to, a file a run, and what follows from them: the ladder, and ensembles."""
