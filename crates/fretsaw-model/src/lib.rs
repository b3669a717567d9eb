//! The model every framework becomes: validation and the plain reference predictor.
