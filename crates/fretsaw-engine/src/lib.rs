//! Tree ensembles compiled to a plan and run by SIMD kernels.
