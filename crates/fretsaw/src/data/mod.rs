//! Data in and out: `.npy`, `.csv` and `.parquet` files as tables or matrices.
