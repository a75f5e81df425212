"""Opens, checks, shows and runs foreign files, texts and programs: those of others, which are not trusted."""
