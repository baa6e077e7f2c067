"""A brute-force oracle for the analyses: small random graphs, the answers found by the plainest means, and the
comparison with what the program says. A slow reading of the definitions, not of the C."""
