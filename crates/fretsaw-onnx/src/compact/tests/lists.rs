//! Every list comes back from the smallest type that holds it.

use super::super::reader::Reader;
use super::super::writer::{Writer, to_f16};
use crate::proto::NodeProto;
use crate::proto::tensor_proto::DataType;
use crate::tensor::Tensor;

fn node(writer: Writer) -> NodeProto {
    NodeProto {
        attribute: writer.finish(),
        ..NodeProto::default()
    }
}

#[test]
fn every_f16_and_none_of_its_neighbours() {
    for bits in 0..=u16::MAX {
        let mut writer = Writer::default();
        writer.tensor("x", DataType::Float16, 1, bits.to_le_bytes().to_vec());
        let node = node(writer);
        let tensor = node.attribute[0].t.as_ref().unwrap();
        let value = Tensor::new(tensor).unwrap().f64s().unwrap().next().unwrap();
        let infinite = value.is_infinite();
        assert_eq!(to_f16(value), (!value.is_nan()).then_some(bits), "{value}");
        for beside in [value.next_up(), value.next_down(), value * (1.0 + 1e-7)] {
            assert!(
                infinite || value == 0.0 || to_f16(beside).is_none(),
                "{beside}"
            );
        }
    }
    for v in [
        65504.5,
        65520.0,
        65536.0,
        1e300,
        2_f64.powi(-25),
        f64::MIN_POSITIVE,
        5e-324,
    ] {
        assert_eq!(to_f16(v), None, "{v}");
    }
}

#[test]
fn numbers_take_the_smallest_type_and_come_back() {
    use DataType as D;
    let third = f64::from(1.0_f32 / 3.0);
    let mostly_f16 = |odd: f64| [vec![0.5; 9], vec![odd]].concat();
    let cases: [(Vec<f64>, D, Option<D>); 15] = [
        (vec![], D::Int8, None),
        (vec![1.0, -128.0, 127.0], D::Int8, None),
        (vec![1.0, 128.0, 255.0], D::Uint8, None),
        (vec![-1.0, 128.0], D::Int16, None),
        (vec![-32768.0, 32767.0], D::Int16, None),
        (vec![32768.0], D::Float16, None),
        (vec![0.0, -0.0], D::Float16, None),
        (
            vec![0.5, f64::INFINITY, f64::NEG_INFINITY],
            D::Float16,
            None,
        ),
        (vec![third], D::Float, None),
        (mostly_f16(third), D::Float16, Some(D::Float)),
        (mostly_f16(0.1), D::Float16, Some(D::Double)),
        (mostly_f16(f64::NAN), D::Float16, Some(D::Double)),
        (
            [vec![third; 9], vec![0.1]].concat(),
            D::Float,
            Some(D::Double),
        ),
        (vec![0.1, 0.2], D::Double, None),
        (vec![f64::NAN], D::Double, None),
    ];
    for (values, dtype, wide) in cases {
        let mut writer = Writer::default();
        writer.numbers("x", &values);
        let node = node(writer);
        let types: Vec<_> = node
            .attribute
            .iter()
            .map(|a| a.t.as_ref().unwrap().data_type())
            .collect();
        assert_eq!(types[0], dtype as i32, "{values:?}");
        assert_eq!(types.get(1).copied(), wide.map(|d| d as i32), "{values:?}");
        let mut reader = Reader::new(&node).unwrap();
        let back = reader.numbers("x").unwrap().unwrap();
        reader.finish().unwrap();
        let bits = |v: &[f64]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&values), "{values:?}");
    }
}

#[test]
fn whole_numbers_take_the_smallest_type_and_come_back() {
    for (values, size) in [
        (vec![0, 255], 2),
        (vec![256], 2),
        (vec![1, 65535], 4),
        (vec![0, u32::MAX], 8),
    ] {
        let mut writer = Writer::default();
        writer.uints("x", &values);
        let node = node(writer);
        let raw = node.attribute[0].t.as_ref().unwrap().raw_data().len();
        assert_eq!(raw, size);
        let mut reader = Reader::new(&node).unwrap();
        assert_eq!(reader.uints_for("x", values.len()).unwrap(), values);
    }
}
