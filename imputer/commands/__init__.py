"""What users type, one module per command: arguments in, words out; the work is done below."""
