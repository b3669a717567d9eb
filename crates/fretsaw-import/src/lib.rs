//! Framework model files, read natively into the IR.
