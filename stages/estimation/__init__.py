"""How the verifier's errors are estimated: who is kept apart, what is counted, how sure it is, how it is drawn."""
