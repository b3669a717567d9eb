//! The names that a pickle may call. Nothing is called: a name on this list is one that the reader
//! knows the meaning of, or one whose objects hold only attributes.

use super::Global;

const NAMES: &[(&str, &[&str])] = &[
    (
        "builtins",
        &["bytearray", "bytes", "complex", "set", "frozenset", "slice"],
    ),
    (
        "__builtin__",
        &["bytearray", "bytes", "complex", "set", "frozenset", "slice"],
    ),
    ("_codecs", &["encode"]),
    ("copyreg", &["_reconstructor", "__newobj__"]),
    ("copy_reg", &["_reconstructor", "__newobj__"]),
    ("collections", &["OrderedDict", "defaultdict"]),
    ("joblib.numpy_pickle", &["NumpyArrayWrapper"]),
    ("numpy", &["dtype", "ndarray"]),
    ("numpy.core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy._core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy.core", &["_ufunc_reconstruct"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("functools", &["partial"]),
    // The names of columns, which ColumnTransformer keeps before 1.0.
    ("pandas.core.indexes.base", &["Index", "_new_Index"]),
    // The results of a search.
    ("numpy.ma.core", &["MaskedArray", "_mareconstruct"]),
    // The state of a random number generator, which an estimator keeps from its training.
    ("numpy.random._mt19937", &["MT19937"]),
    ("numpy.random._pcg64", &["PCG64"]),
    (
        "numpy.random._pickle",
        &[
            "__bit_generator_ctor",
            "__generator_ctor",
            "__randomstate_ctor",
        ],
    ),
    (
        "numpy.random.bit_generator",
        &["SeedSequence", "__pyx_unpickle_SeedSequence"],
    ),
];

/// Packages whose classes hold only attributes. (`_loss` is `sklearn._loss._loss`, as builds of some
/// versions call it.)
const PACKAGES: &[&str] = &[
    "_loss", "catboost", "lightgbm", "scipy", "sklearn", "xgboost",
];

/// Whether a pickle may make an object by this name.
pub(super) fn allows(callee: &Global<'_>) -> bool {
    let package = callee.module.split('.').next().unwrap_or_default();
    PACKAGES.contains(&package)
        || NAMES
            .iter()
            .any(|(module, names)| *module == callee.module && names.contains(&&*callee.name))
}

/// Whether the object is a string of bytes.
pub(super) fn is_bytes(callee: &Global<'_>) -> bool {
    match &*callee.module {
        "builtins" | "__builtin__" => matches!(&*callee.name, "bytearray" | "bytes"),
        "_codecs" => callee.name == "encode",
        _ => false,
    }
}

/// Whether it makes an instance of the class that is its first argument.
pub(super) fn is_constructor(callee: &Global<'_>) -> bool {
    matches!(&*callee.module, "copyreg" | "copy_reg")
}
