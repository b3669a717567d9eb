use super::numpy::Elements;
use super::{Id, Pickle, Value};
use crate::ErrorKind;

/// The value as text, to compare with: a Python-like display.
fn show(pickle: &Pickle<'_>, id: Id) -> String {
    let list = |ids: &[Id]| {
        ids.iter()
            .map(|&i| show(pickle, i))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match pickle.get(id) {
        Value::None => "None".into(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::BigInt => "<big>".into(),
        Value::Float(x) => format!("{x:?}"),
        Value::Str(s) => format!("'{s}'"),
        Value::Bytes(b) => format!("b'{}'", b.escape_ascii()),
        Value::List(v) => format!("[{}]", list(v)),
        Value::Tuple(v) => format!("({})", list(v)),
        Value::Set(v) => format!("{{{}}}", list(v)),
        Value::Npy(bytes) => format!("npy {}", bytes.len()),
        Value::Dict(v) => {
            let items: Vec<_> = v
                .iter()
                .map(|&(k, v)| format!("{}: {}", show(pickle, k), show(pickle, v)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Global(g) => g.shown(),
        Value::Object(o) => {
            let state = o.state.map(|s| show(pickle, s)).unwrap_or_default();
            format!("{}({})<{state}>", o.callee.shown(), list(&o.args))
        }
    }
}

#[test]
fn every_protocol_is_read_as_data() {
    let cases: &[(&[u8], &str)] = &[
        (b"N.", "None"),
        (b"I01\n.", "true"),
        (b"I-5\n.", "-5"),
        (b"L123456789012345678901234567890L\n.", "<big>"),
        (b"F0.5\n.", "0.5"),
        (b"Vcaf\\u00e9\n.", "'café'"),
        (b"Vcaf\xe9 \\x \\U0001f600\n.", "'café \\x 😀'"),
        (b"S'a\\x41\\n'\n.", "'aA\n'"),
        (b"(lp0\nI1\naI2\na.", "[1, 2]"),
        (b"(dp0\nVk\nI1\ns.", "{'k': 1}"),
        (b"(I1\nI2\nt.", "(1, 2)"),
        (b"\x80\x02]q\x00(K\x01K\x02e.", "[1, 2]"),
        (b"\x80\x02}q\x00(X\x01\x00\x00\x00kK\x01u.", "{'k': 1}"),
        (b"\x80\x02K\x01K\x02\x86.", "(1, 2)"),
        (b"\x80\x02\x8a\x01\xff.", "-1"),
        (b"\x80\x02\x8a\x02\xff\x00.", "255"),
        (b"\x80\x02\x8a\x00.", "0"),
        (b"\x80\x02G\x3f\xe0\0\0\0\0\0\0.", "0.5"),
        (b"\x80\x03C\x02ab.", "b'ab'"),
        (b"\x80\x04\x95\x04\0\0\0\0\0\0\0\x8c\x01a\x94.", "'a'"),
        (b"\x80\x04\x8f(K\x01\x90.", "{1}"),
        (b"\x80\x04K\x07\x94h\x00\x86\x94.", "(7, 7)"),
        (b"\x80\x05\x96\x02\0\0\0\0\0\0\0xy.", "b'xy'"),
        (b"\x80\x04K\x01K\x020.", "1"),
        (b"\x80\x04(K\x01K\x021K\x03.", "3"),
        (b"\x80\x04K\x012\x86.", "(1, 1)"),
        (
            b"ccopy_reg\n_reconstructor\n(cxgboost.core\nBooster\nc__builtin__\nobject\nNtR(dVa\nI1\nsb.",
            "xgboost.core.Booster(xgboost.core.Booster, __builtin__.object, None)<{'a': 1}>",
        ),
        (
            b"\x80\x02cxgboost.core\nBooster\n)\x81}X\x01\x00\x00\x00aK\x01sb.",
            "xgboost.core.Booster()<{'a': 1}>",
        ),
        (b"(cxgboost.core\nBooster\no.", "xgboost.core.Booster()<>"),
        (b"(ixgboost.core\nBooster\n.", "xgboost.core.Booster()<>"),
        // What a search keeps of its distributions: a partial function that is called, a method.
        (
            b"cfunctools\npartial\n(csklearn.base\nclone\ntR(I1\ntR.",
            "sklearn.base.clone(1)<>",
        ),
        (
            b"c__builtin__\ngetattr\n(cxgboost.core\nBooster\n)\x81S'predict'\ntR.",
            "__builtin__.getattr(xgboost.core.Booster()<>, 'predict')<>",
        ),
        (b"cnumpy\nvectorize\n)R.", "numpy.vectorize()<>"),
        (b"cpandas\nDataFrame\n)\x81.", "pandas.DataFrame()<>"),
        (b"cpandas.core.indexes.base\nIndex\n)R.", "pandas.core.indexes.base.Index()<>"),
        (b"cjoblib.memory\nMemory\n)\x81.", "joblib.memory.Memory()<>"),
        // A list of another class is kept without its items.
        (b"ccollections\ndeque\n)R(I1\ne.", "collections.deque()<>"),
        // A name alone does nothing.
        (b"cos\nsystem\n.", "os.system"),
    ];
    for (bytes, shown) in cases {
        let got = match Pickle::read(bytes) {
            Ok(pickle) => show(&pickle, pickle.root),
            Err(e) => format!("err {e}"),
        };
        assert_eq!(got, *shown, "{}", bytes.escape_ascii());
    }
}

#[test]
fn calls_of_unknown_names_are_refused_by_name() {
    let cases: &[&[u8]] = &[
        b"cos\nsystem\n(S'echo owned'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04echo\x85R.",
        b"\x80\x02cos\nsystem\n)\x81.",
        b"(S'echo owned'\nios\nsystem\n.",
        b"(cos\nsystem\nS'echo'\no.",
        b"ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
        b"\x80\x04cos\nsystem\n)}\x92.",
        b"cfunctools\npartial\n(cos\nsystem\ntR(S'echo'\ntR.",
    ];
    for bytes in cases {
        let error = Pickle::read(bytes).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported { what, .. } if what == "`os.system`")
        );
        assert!(error.to_string().contains("`os.system`"), "{error}");
    }
    for name in [
        "builtins\neval",
        "builtins\ngetattr",
        "pandas\nread_pickle",
        "pandas.io.pickle\nread_pickle",
        "pandas.core.framed\nX",
        "sklearnish.pipeline\nPipeline",
        "xgboostish\nX",
    ] {
        let bytes = format!("c{name}\n)R.");
        let error = Pickle::read(bytes.as_bytes()).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Unsupported { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_method_of_an_unknown_name_is_refused() {
    let cases: &[&[u8]] = &[
        b"cbuiltins\ngetattr\n(cos\npath\nS'join'\ntR.",
        b"cbuiltins\ngetattr\n(S'abc'\nS'upper'\ntR.",
    ];
    for bytes in cases {
        let error = Pickle::read(bytes).unwrap_err();
        assert!(error.to_string().contains("`builtins.getattr`"), "{error}");
    }
}

#[test]
fn broken_pickles_are_refused() {
    let long_name = [&b"c"[..], &[b'm'; 201], b"\nn\n."].concat();
    let cases: &[(&[u8], &str)] = &[
        (b"", "1 bytes should follow"),
        (b".", "nothing to work on"),
        (b"N", "1 bytes should follow"),
        (b"\xff", "0xff is no instruction"),
        (b"\x80\x09.", "protocol 9"),
        (b"h\x05.", "recalls value 5"),
        (b"t.", "nothing to work on"),
        (b"(K\x01t0.", "nothing to work on"),
        (b"(.", "nothing to work on"),
        (b"K\x01(a.", "nothing to work on"),
        (b"K\x01K\x02a.", "appends to what is no list"),
        (b"NK\x02K\x01s.", "what is no dictionary"),
        (b"(K\x01d.", "a key without a value"),
        (b"NN\x93.", "no text"),
        (b"N)R.", "neither class nor function"),
        (b"cxgboost.core\nBooster\nNR.", "no tuple"),
        (b"NNb.", "no object"),
        (b"X\xff\xff\xff\xffabc.", "4294967295 bytes should follow"),
        (
            b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
            "bytes should follow",
        ),
        (b"\x8b\xff\xff\xff\x7fabc.", "bytes should follow"),
        (b"\x8c\x01\xff.", "not UTF-8"),
        (b"Iabc\n.", "should be an integer"),
        (b"Fabc\n.", "should be a number"),
        (b"V\\u12\n.", "broken escape"),
        (b"Sabc\n.", "quoted string"),
        (&long_name, "longer than 200 bytes"),
        (b"Q.", "persistent reference"),
        (b"\x82\x01.", "extension code"),
        (b"\x97.", "out-of-band"),
    ];
    for (bytes, message) in cases {
        let error = Pickle::read(bytes).unwrap_err().to_string();
        assert!(error.contains(message), "{}: {error}", bytes.escape_ascii());
    }
}

/// `numpy.dtype(code)`, little-endian.
fn dtype(code: &str) -> Vec<u8> {
    let mut out = b"cnumpy\ndtype\n\x8c".to_vec();
    out.push(code.len() as u8);
    out.extend(code.as_bytes());
    out.extend(b"\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb");
    out
}

fn array(code: &str, n: u8, content: &[u8]) -> Vec<u8> {
    let mut out =
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R(K\x01K"
            .to_vec();
    out.push(n);
    out.push(0x85);
    out.extend(dtype(code));
    out.push(0x89);
    out.extend(content);
    out.extend(b"tb.");
    out
}

fn bytes(content: &[u8]) -> Vec<u8> {
    [&[b'C', content.len() as u8], content].concat()
}

#[test]
fn arrays_come_out_of_numpy_and_joblib() {
    let ints = |v: &[i64]| Some(Elements::Ints(v.to_vec()));
    let strings = |v: &[&str]| Some(Elements::Strings(v.iter().map(|s| s.to_string()).collect()));
    let cases: Vec<(Vec<u8>, Option<Elements>)> = vec![
        (
            array(
                "i8",
                2,
                &bytes(&[
                    1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
                ]),
            ),
            ints(&[1, -1]),
        ),
        (array("i2", 1, &bytes(&[0xfe, 0xff])), ints(&[-2])),
        (array("u1", 1, &bytes(&[0xfe])), ints(&[254])),
        (array("b1", 2, &bytes(&[0, 1])), ints(&[0, 1])),
        (
            array("f4", 1, &bytes(&0.5_f32.to_le_bytes())),
            Some(Elements::Floats(vec![0.5])),
        ),
        (
            array("U2", 2, &bytes(b"a\0\0\0b\0\0\0c\0\0\0\0\0\0\0")),
            strings(&["ab", "c"]),
        ),
        (
            array("O8", 2, b"](\x8c\x01x\x8c\x01ye"),
            strings(&["x", "y"]),
        ),
        (array("i8", 1, &bytes(&[1, 2, 3])), None),
        (array("i0", 1, &bytes(&[])), None),
        (array("c16", 1, &bytes(&[0; 16])), None),
    ];
    for (i, (pickled, elements)) in cases.iter().enumerate() {
        let pickle = Pickle::read(pickled).unwrap_or_else(|e| panic!("case {i}: {e}"));
        assert_eq!(pickle.elements(pickle.root), *elements, "case {i}");
    }

    let wrapper = |shape: &[u8], code: &str, alignment: &[u8], content: &[u8]| {
        let mut out = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(\x8c\x05shape".to_vec();
        out.extend(shape);
        out.extend(b"\x8c\x05dtype");
        out.extend(dtype(code));
        out.extend(b"\x8c\x1bnumpy_array_alignment_bytes");
        out.extend(alignment);
        out.extend(b"ub");
        out.extend(content);
        out.extend(b".");
        out
    };
    let nested = array("O8", 1, b"](\x8c\x01xe");
    let joblib: Vec<(Vec<u8>, Option<Elements>)> = vec![
        (
            wrapper(
                b"K\x02\x85",
                "i2",
                b"K\x10",
                b"\x03\xff\xff\xff\x01\0\x02\0",
            ),
            ints(&[1, 2]),
        ),
        (
            wrapper(b"K\x02\x85", "i2", b"N", b"\x01\0\x02\0"),
            ints(&[1, 2]),
        ),
        (
            wrapper(b"K\x01\x85", "O8", b"K\x10", &nested),
            strings(&["x"]),
        ),
    ];
    for (i, (pickled, elements)) in joblib.iter().enumerate() {
        let pickle = Pickle::read(pickled).unwrap_or_else(|e| panic!("case {i}: {e}"));
        assert_eq!(pickle.elements(pickle.root), *elements, "case {i}");
    }
    // A shape of 2^60 elements, and one whose product overflows.
    for shape in [
        &b"\x8a\x08\0\0\0\0\0\0\0\x10\x85"[..],
        b"\x8a\x08\0\0\0\0\0\0\0\x10\x8a\x08\0\0\0\0\0\0\0\x10\x86",
    ] {
        assert!(Pickle::read(&wrapper(shape, "i2", b"N", b"\x01\0")).is_err());
    }
}

/// A tuple that many calls share must not be copied for each of them.
#[test]
fn shared_arguments_stay_shared() {
    let mut bytes = b"(".to_vec();
    bytes.resize(100_000, b'N');
    bytes.extend(b"tq\x00cxgboost.core\nBooster\nq\x01(");
    for _ in 0..100_000 {
        bytes.extend(b"h\x01h\x00R");
    }
    bytes.extend(b"l.");
    let pickle = Pickle::read(&bytes).unwrap();
    assert!(matches!(pickle.get(pickle.root), Value::List(calls) if calls.len() == 100_000));
}

#[test]
fn arrays_of_any_shape_come_in_c_order() {
    // Two rows of three, the first index fastest.
    let fortran = {
        let mut out = array("i1", 0, &bytes(&[1, 4, 2, 5, 3, 6]));
        // `array` writes `(1, (n,), dtype, False, content)`: make it (2, 3) and True.
        let at = out.windows(5).position(|w| w == b"K\x01K\0\x85").unwrap();
        out.splice(at + 2..at + 5, *b"K\x02K\x03\x86");
        let flag = out.windows(3).rposition(|w| w == b"tb\x89").unwrap();
        out[flag + 2] = 0x88;
        out
    };
    let pickle = Pickle::read(&fortran).unwrap();
    let read = pickle.array(pickle.root).unwrap();
    assert_eq!(read.shape, [2, 3]);
    assert_eq!(
        read.elements(),
        Some(Elements::Ints(vec![1, 2, 3, 4, 5, 6]))
    );
    // Fewer bytes than the shape asks for.
    let short = array("i8", 2, &bytes(&[0; 8]));
    let pickle = Pickle::read(&short).unwrap();
    assert!(pickle.array(pickle.root).is_none());
}

#[test]
fn npy_files_hold_plain_arrays_and_records() {
    let npy = |header: &str, content: &[u8]| {
        let mut out = b"\x93NUMPY\x01\0".to_vec();
        out.extend((header.len() as u16).to_le_bytes());
        out.extend(header.as_bytes());
        out.extend(content);
        out
    };
    let read = |bytes: Vec<u8>| Pickle::new(vec![Value::Npy(bytes.into())], Id(0), 0);
    let plain = |descr: &str, shape: &str| {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}")
    };
    let cases = [
        (plain("<i2", "(2,)"), vec![1, 0, 2, 0], Some(vec![1, 2])),
        (plain(">i2", "(2,)"), vec![0, 1, 0, 2], Some(vec![1, 2])),
        (plain("|b1", "()"), vec![1], Some(vec![1])),
        (plain("<i2", "(3,)"), vec![1, 0, 2, 0], None),
        (plain("<i2", "(1, 1, 1, 1, 1)"), vec![1, 0], None),
        (plain("|O", "(1,)"), vec![0; 8], None),
        (plain("<i2", "(18446744073709551615, 2)"), vec![1, 0], None),
    ];
    for (header, content, want) in cases {
        let pickle = read(npy(&header, &content));
        let got = pickle.array(pickle.root).and_then(|a| a.elements());
        assert_eq!(got, want.map(Elements::Ints), "{header}");
    }
    let record = "{'descr': [('left', '<i2'), ('', '|V1'), ('x', '<f4')], \
                  'fortran_order': False, 'shape': (1,), }";
    let content = [&[7, 0, 9][..], &0.5_f32.to_le_bytes()].concat();
    let pickle = read(npy(record, &content));
    let array = pickle.array(pickle.root).unwrap();
    assert_eq!(array.field("left"), Some(Elements::Ints(vec![7])));
    assert_eq!(array.field("x"), Some(Elements::Floats(vec![0.5])));
    assert_eq!(array.field("y"), None);
    assert_eq!(array.elements(), None);
    let whole = npy(record, &content);
    for n in 0..whole.len() {
        let pickle = read(whole[..n].to_vec());
        assert!(pickle.array(pickle.root).is_none(), "{n} bytes");
    }
}

/// One array that is pointed at from everywhere is not copied for each of them.
#[test]
fn what_may_be_copied_is_bounded() {
    let pickled = array("u1", 100, &bytes(&[7; 100]));
    let pickle = Pickle::read(&pickled).unwrap();
    let n = (0..1_000_000)
        .take_while(|_| pickle.elements(pickle.root).is_some())
        .count();
    assert!((1_000..100_000).contains(&n), "{n}");
}
