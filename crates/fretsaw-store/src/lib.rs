//! Registry, optimisation metrics and performance log.
