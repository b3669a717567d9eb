//! The names that a pickle may call. Nothing is called: a name on this list is one that the reader
//! knows the meaning of, or one whose objects hold only attributes.

use super::Global;

const BUILTINS: &[&str] = &[
    "bytearray",
    "bytes",
    "complex",
    "frozenset",
    "range",
    "set",
    "slice",
    "xrange",
];

const NAMES: &[(&str, &[&str])] = &[
    ("builtins", BUILTINS),
    ("__builtin__", BUILTINS),
    ("_codecs", &["encode"]),
    ("copyreg", &["_reconstructor", "__newobj__"]),
    ("copy_reg", &["_reconstructor", "__newobj__"]),
    (
        "collections",
        &["Counter", "OrderedDict", "defaultdict", "deque"],
    ),
    // Values that are kept beside a model: when it was trained, where, from which search.
    (
        "datetime",
        &["date", "datetime", "time", "timedelta", "timezone"],
    ),
    ("decimal", &["Decimal"]),
    ("fractions", &["Fraction"]),
    ("itertools", &["count"]),
    ("operator", &["attrgetter", "itemgetter"]),
    ("pathlib", PATHS),
    ("pathlib._local", PATHS),
    ("pytz", &["_UTC", "_p"]),
    ("re", &["_compile"]),
    ("types", &["SimpleNamespace"]),
    ("uuid", &["UUID"]),
    // `vectorize` and `poly1d` are within the distributions of a random search.
    ("numpy", &["dtype", "ndarray", "poly1d", "vectorize"]),
    ("numpy.core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy._core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy.core", &["_ufunc_reconstruct"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("functools", &["partial"]),
    // The results of a search.
    ("numpy.ma.core", &["MaskedArray", "_mareconstruct"]),
    // The state of a random number generator, which an estimator keeps from its training.
    ("numpy.random._mt19937", &["MT19937"]),
    ("numpy.random._pcg64", &["PCG64", "PCG64DXSM"]),
    ("numpy.random._philox", &["Philox"]),
    ("numpy.random._sfc64", &["SFC64"]),
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

const PATHS: &[&str] = &[
    "Path",
    "PosixPath",
    "PurePosixPath",
    "PureWindowsPath",
    "WindowsPath",
];

/// Packages whose classes hold only attributes. (`_loss` is `sklearn._loss._loss`, as builds of some
/// versions call it.)
const PACKAGES: &[&str] = &[
    "_loss", "catboost", "joblib", "lightgbm", "scipy", "sklearn", "xgboost",
];

/// Parts of pandas: frames, columns and their names, and what those are made of.
const PANDAS: &[&str] = &[
    "pandas._libs",
    "pandas.arrays",
    "pandas.core.arrays",
    "pandas.core.dtypes",
    "pandas.core.frame",
    "pandas.core.indexes",
    "pandas.core.internals",
    "pandas.core.series",
];

/// Whether a pickle may make an object by this name.
pub(super) fn allows(callee: &Global<'_>) -> bool {
    let package = callee.module.split('.').next().unwrap_or_default();
    let within = |part: &&str| {
        let rest = callee.module.strip_prefix(*part);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    PACKAGES.contains(&package)
        || PANDAS.iter().any(within)
        // Since 3.0 its classes go by their public names.
        || callee.module == "pandas" && callee.name.starts_with(|c: char| c.is_ascii_uppercase())
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

/// Whether it takes an attribute of its first argument, as a pickle does to name a method.
pub(super) fn is_getattr(callee: &Global<'_>) -> bool {
    matches!(&*callee.module, "builtins" | "__builtin__") && callee.name == "getattr"
}
