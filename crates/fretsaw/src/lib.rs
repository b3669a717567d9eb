//! Load, optimise, verify, measure, choose and run models.
