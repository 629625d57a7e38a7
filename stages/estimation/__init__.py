"""How the verifier's errors are estimated: splits, error rates, their intervals and their pictures."""
