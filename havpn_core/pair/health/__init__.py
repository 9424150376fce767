"""What is wrong with a pair, for people: facts in, the beginning and the end of troubles out."""
