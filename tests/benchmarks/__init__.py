"""What the benchmarks find."""
