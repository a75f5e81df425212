"""What is foreign, files, texts and programs of others, is opened in one way, shown in one way and run in one way."""
