"""How the bundled models are made: recipes, the data set of puppets, and the training itself (torch)."""
