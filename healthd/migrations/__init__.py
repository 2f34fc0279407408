"""From sql/ to expected: read the files, apply them safely, replay them, write down what they do."""
