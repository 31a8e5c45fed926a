"""What a publication says, whatever the format: figures, words, sentences and charts."""
