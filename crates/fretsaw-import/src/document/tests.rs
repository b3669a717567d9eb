use serde::Deserialize;

use super::{Json, Ubjson, read};
use crate::ErrorKind;

#[derive(Debug, Deserialize, PartialEq)]
struct Record {
    #[serde(default)]
    float: f32,
    #[serde(default)]
    floats: Vec<f32>,
    #[serde(default)]
    int: i32,
    #[serde(default)]
    flags: Vec<bool>,
    #[serde(default)]
    text: String,
    maybe: Option<u32>,
}

fn json(text: &str) -> Result<Record, crate::Error> {
    read(Json::new(text.as_bytes()))
}

#[test]
fn numbers_are_rounded_once_whatever_they_are_written_as() {
    // 1.00000017881393432617187499 lies a hair below the middle of two f32; by way of f64 it
    // rounds to the middle, and then up.
    let hair = "1.00000017881393432617187499";
    let below = f32::from_bits(0x3f80_0001);
    let cases: &[(&str, f32)] = &[
        ("5E-1", 0.5),
        ("\"5E-1\"", 0.5),
        ("1", 1.0),
        ("-0E0", -0.0),
        ("16777217", 16_777_216.0),
        (hair, below),
        ("123456789012345678901234567890", 1.2345679e29),
        ("1e999", f32::INFINITY),
        ("1e-999", 0.0),
        ("Infinity", f32::INFINITY),
        ("-Infinity", f32::NEG_INFINITY),
    ];
    assert_ne!(hair.parse::<f64>().unwrap() as f32, below);
    for (text, value) in cases {
        let got = json(&format!("{{\"float\": {text}}}")).unwrap().float;
        assert_eq!(got.to_bits(), value.to_bits(), "{text}");
    }
    assert!(json("{\"float\": NaN}").unwrap().float.is_nan());
}

#[test]
fn fields_take_what_any_version_writes() {
    let got = json(
        r#" { "flags" : [true,0,1], "int":"-7", "skipped": [[{"a":"]}\"" }], 1e5, null],
              "text": "caf\u00e9 \ud83d\ude00 \"q\" \\ \n", "maybe": null } "#,
    )
    .unwrap();
    assert_eq!(got.flags, [true, false, true]);
    assert_eq!(got.int, -7);
    assert_eq!(got.text, "café 😀 \"q\" \\ \n");
    assert_eq!(got.maybe, None);
}

#[test]
fn faults_in_json_name_their_place() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    let cases: &[(&str, &str)] = &[
        ("", "the file ends where a value should stand (byte 0)"),
        (
            "{\"int\":1",
            "the file ends where `,` or `}` should stand (byte 8)",
        ),
        (
            "{\"int\":1}x",
            "`x` stands where the end of the file should (byte 9)",
        ),
        (
            "{\"int\":1.5}",
            "int: `1.5` is not a number of type i64 (byte 10)",
        ),
        (
            "{\"int\":\"two\"}",
            "int: `two` is not a number of type i64 (byte 12)",
        ),
        (
            "{\"int\":3000000000}",
            "int: invalid value: integer `3000000000`, expected i32 (byte 17)",
        ),
        (
            "{\"floats\":[1,2,[3]]}",
            "floats[2]: invalid type: sequence, expected f32 (byte 16)",
        ),
        (
            "{\"floats\":[1,]}",
            "floats[1]: `]` stands where a value should (byte 13)",
        ),
        (
            "{\"floats\":[1 2]}",
            "floats[1]: `2` stands where `,` or `]` should (byte 13)",
        ),
        (
            "{\"flags\":[2]}",
            "flags[0]: invalid type: integer `2`, expected a boolean (byte 11)",
        ),
        (
            "{\"text\":\"a",
            "text: the file ends within a string (byte 10)",
        ),
        (
            "{\"text\":\"\\q\"}",
            "text: a string holds an unknown escape (byte 9)",
        ),
        (
            "{\"text\":\"\\ud800\"}",
            "text: a string holds an unknown escape (byte 9)",
        ),
        (
            "{\"float\":-}",
            "float: `}` stands where a digit should (byte 10)",
        ),
        (
            "{\"float\":1.}",
            "float: `}` stands where a digit should (byte 11)",
        ),
        (
            "{\"float\":nan}",
            "float: `n` stands where a value should (byte 9)",
        ),
        // serde takes a list for a struct; fields without a default must be there.
        (
            "[1]",
            "invalid length 5, expected struct Record with 6 elements",
        ),
        (
            "[1,[],1,[],\"\",1,1]",
            "the array has more elements than belong there",
        ),
        (&deep, "x: nested more than 64 deep"),
    ];
    for (text, message) in cases {
        let error = json(text).map(|_| ()).expect_err(text).to_string();
        let about = &text[..text.len().min(40)];
        assert!(error.starts_with(message), "{about}: {error}");
        assert!(!error.contains('\n'), "{about}: {error}");
    }
}

/// Encodes a key or a text.
fn s(text: &str) -> Vec<u8> {
    let mut out = b"L".to_vec();
    out.extend((text.len() as i64).to_be_bytes());
    out.extend(text.as_bytes());
    out
}

fn object(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"{".to_vec();
    for (key, value) in fields {
        out.extend(s(key));
        out.extend(value);
    }
    out.push(b'}');
    out
}

fn ubjson(fields: &[(&str, Vec<u8>)]) -> Result<Record, crate::Error> {
    read(Ubjson::new(&object(fields)))
}

fn typed(marker: u8, n: i64, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![b'[', b'$', marker, b'#', b'L'];
    out.extend(n.to_be_bytes());
    out.extend(payload);
    out
}

#[test]
fn ubjson_arrays_come_typed_counted_and_open() {
    let f = |x: f32| x.to_be_bytes().to_vec();
    let cases: Vec<(Vec<u8>, Vec<f32>)> = vec![
        (typed(b'd', 2, &[f(0.5), f(-1.5)].concat()), vec![0.5, -1.5]),
        (typed(b'D', 1, &0.1_f64.to_be_bytes()), vec![0.1]),
        (typed(b'i', 2, &[1, 0xff]), vec![1.0, -1.0]),
        (typed(b'U', 1, &[255]), vec![255.0]),
        (typed(b'I', 1, &[0xff, 0xfe]), vec![-2.0]),
        (typed(b'l', 1, &7_i32.to_be_bytes()), vec![7.0]),
        (typed(b'L', 1, &9_i64.to_be_bytes()), vec![9.0]),
        (typed(b'd', 0, &[]), vec![]),
        ([b"[#i\x02i\x05d".to_vec(), f(2.5)].concat(), vec![5.0, 2.5]),
        (b"[i\x05U\x06]".to_vec(), vec![5.0, 6.0]),
        (b"[]".to_vec(), vec![]),
    ];
    for (bytes, value) in cases {
        let about = bytes.escape_ascii().to_string();
        let got = ubjson(&[
            ("floats", bytes.clone()),
            ("skipped", object(&[("again", bytes)])),
            ("int", b"I\x01\x00".to_vec()),
        ]);
        let got = got.unwrap_or_else(|e| panic!("{about}: {e}"));
        assert_eq!((got.floats, got.int), (value, 256), "{about}");
    }
    let text = [b"S".to_vec(), s("é")].concat();
    let got = ubjson(&[
        ("text", text),
        ("flags", b"[TF]".to_vec()),
        ("maybe", b"Z".to_vec()),
    ]);
    let got = got.unwrap();
    assert_eq!((got.text.as_str(), got.flags), ("é", vec![true, false]));
}

#[test]
fn lying_ubjson_is_refused_before_anything_is_allocated() {
    let lies = [i64::MAX, 1 << 60, 1 << 40, 1 << 33, -1, i64::MIN];
    for n in lies {
        for bytes in [
            typed(b'd', n, &[0; 8]),
            [b"[#L".to_vec(), n.to_be_bytes().to_vec()].concat(),
            [b"SL".to_vec(), n.to_be_bytes().to_vec()].concat(),
        ] {
            let error = ubjson(&[("floats", bytes)]).unwrap_err();
            assert_eq!(*error.kind(), ErrorKind::Syntax, "{error}");
            assert!(error.to_string().contains("a length of"), "{error}");
        }
    }
    for bytes in [
        typed(b'x', 1, &[0]),
        b"[$d".to_vec(),
        b"[$dx".to_vec(),
        b"H".to_vec(),
        b"[#d\x00\x00\x00\x00".to_vec(),
    ] {
        assert!(
            ubjson(&[("floats", bytes.clone())]).is_err(),
            "{}",
            bytes.escape_ascii()
        );
    }
    let whole = object(&[
        ("floats", typed(b'd', 1, &[0; 4])),
        ("text", [b"S".to_vec(), s("ab")].concat()),
    ]);
    assert!(read::<_, Record>(Ubjson::new(&whole)).is_ok());
    for n in 0..whole.len() {
        assert!(
            read::<_, Record>(Ubjson::new(&whole[..n])).is_err(),
            "{n} bytes"
        );
    }
    assert!(read::<_, Record>(Ubjson::new(&[&whole[..], b"x"].concat())).is_err());
    let deep = [object(&[])[..1].to_vec(), s("x"), b"[".repeat(5000)].concat();
    let error = read::<_, Record>(Ubjson::new(&deep)).unwrap_err();
    assert!(error.to_string().contains("nested more than"), "{error}");
}
