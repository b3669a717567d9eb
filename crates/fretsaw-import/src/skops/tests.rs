use super::read;
use crate::pickle::Value;

/// A zip archive of members that are stored as they are.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((content.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*content);
    }
    let from = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([members.len() as u8, 0, members.len() as u8, 0]);
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(from.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn schema(text: &str) -> Vec<u8> {
    archive(&[("schema.json", text.as_bytes()), ("a.bin", b"xyz")])
}

const MAP: &str = r#"{"__module__":"sklearn.x","__class__":"C","__loader__":"ObjectNode","content":
{"__module__":"builtins","__class__":"dict","__loader__":"DictNode","content":{
"text":{"__loader__":"JsonNode","content":"\"a\\u00e9\""},"n":{"__loader__":"JsonNode","content":"-5"},
"x":{"__loader__":"JsonNode","content":"NaN"},"b":{"__loader__":"BytesNode","file":"a.bin"},
"t":{"__loader__":"TupleNode","content":[{"__loader__":"JsonNode","content":"true"}]},
"f":{"__loader__":"FunctionNode","__module__":"os","__class__":"system"}}}}"#;

#[test]
fn a_schema_becomes_values() {
    let bytes = schema(MAP);
    let skops = read(&bytes).unwrap();
    let Value::Object(object) = skops.get(skops.root) else {
        panic!("no object");
    };
    assert_eq!(object.callee.shown(), "sklearn.x.C");
    let value = |name| skops.get(skops.attribute(object, name).unwrap());
    assert!(matches!(value("text"), Value::Str(s) if s == "aé"));
    assert!(matches!(value("n"), Value::Int(-5)));
    assert!(matches!(value("x"), Value::Float(x) if x.is_nan()));
    assert!(matches!(value("b"), Value::Bytes(b) if **b == *b"xyz"));
    assert!(matches!(value("t"), Value::Tuple(t) if matches!(skops.get(t[0]), Value::Bool(true))));
    assert!(matches!(value("f"), Value::Global(g) if g.shown() == "os.system"));
}

#[test]
fn broken_archives_are_refused() {
    let whole = schema(MAP);
    for n in 0..whole.len() {
        let line = read(&whole[..n]).expect_err("cut short").to_string();
        assert!(
            !line.contains('\n') && line.len() < 300,
            "{n} bytes: {line}"
        );
    }
    let edited = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    let central = whole.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let deep = "[".repeat(100_000);
    let cases = [
        (archive(&[("a", b"")]), "no schema.json"),
        (edited(45, b'!'), "not what the directory says"),
        (edited(central + 10, 12), "compression method 12"),
        (edited(central + 8, 1), "encrypted"),
        (edited(central + 42, 0xff), "not where the directory says"),
        (edited(central + 27, 0xff), "unpacks to more"),
        (edited(central + 23, 0xff), "cut short"),
        (schema("{"), "the file ends"),
        (schema(&deep), "nested more than"),
        (schema(&MAP.replace("a.bin", "b.bin")), "no member `b.bin`"),
        (schema(&MAP.replace("-5", "-5x")), "not a number"),
        (
            schema(&MAP.replace("\"C\"", &format!("\"{}\"", "C".repeat(300)))),
            "longer than 200",
        ),
    ];
    for (bytes, message) in cases {
        let line = read(&bytes).expect_err(message).to_string();
        assert!(line.contains(message), "wanted: {message}\ngot: {line}");
    }
}
