//! Saved plans: the same answers, from wherever the bytes lie; an error for damaged ones; and
//! nothing worse than wrong answers of bytes that someone made.

use std::sync::Arc;

use fretsaw_engine::{Error, ErrorKind, Isa, MarginsMut, Options, Plan, Strategy};
use fretsaw_model::random::{self, Rng, Shape};
use fretsaw_model::{Float, Model, Rows, Step, Sum};

/// Where the checksum stands, and where what it is of begins.
const SUM: usize = 8;
const SUMMED: usize = 12;

/// Bytes at a place that a mapped file could have, or `off` from one.
struct Placed {
    room: Vec<u8>,
    first: usize,
    len: usize,
}

impl Placed {
    fn at(off: usize, bytes: &[u8]) -> Self {
        let mut room = vec![0; bytes.len() + 64 + off];
        let first = room.as_ptr().align_offset(64) + off;
        room[first..first + bytes.len()].copy_from_slice(bytes);
        Self {
            room,
            first,
            len: bytes.len(),
        }
    }
}

impl AsRef<[u8]> for Placed {
    fn as_ref(&self) -> &[u8] {
        &self.room[self.first..][..self.len]
    }
}

fn load(off: usize, bytes: &[u8]) -> Result<Plan, Error> {
    Plan::load(Arc::new(Placed::at(off, bytes)))
}

/// The bits of the margins of the first rows, some at a time.
fn answers(plan: &Plan, rows: &Rows<'_>) -> Vec<u64> {
    let mut scratch = plan.scratch();
    let mut bits = Vec::new();
    for n_rows in [1, 7, rows.n_rows()] {
        let n = n_rows * plan.n_outputs();
        let rows = rows.slice(0..n_rows);
        let (mut f32s, mut f64s) = (vec![0.0_f32; n], vec![0.0_f64; n]);
        let out = match plan.margin() {
            Float::F32 => MarginsMut::F32(&mut f32s),
            Float::F64 => MarginsMut::F64(&mut f64s),
        };
        plan.margins(&rows, out, &mut scratch).unwrap();
        bits.extend(f32s.iter().map(|x| u64::from(x.to_bits())));
        bits.extend(f64s.iter().map(|x| x.to_bits()));
    }
    bits
}

/// Models of every kind that ensembles are, and some with steps in front.
fn model(seed: u64) -> Model {
    let shape = match seed % 4 {
        // Enough trees of a kind for circuits, tables, lines and words.
        0 => Shape {
            n_trees: 40,
            max_leaves: [4, 16, 60, 200, 1000][seed as usize / 4 % 5],
            n_cuts: 30,
            sum: [Sum::F32, Sum::F64, Sum::I32][seed as usize / 4 % 3],
            compare: [Float::F32, Float::F64][seed as usize / 8 % 2],
            ..Shape::default()
        },
        _ => Shape::any(seed),
    };
    let mut draft = random::ensemble(seed, &shape).into_draft();
    let n = draft.features.len();
    if seed % 3 == 1 {
        draft.steps = vec![
            Step::MarkMissing { value: 0.5 },
            Step::FlushTiny { limit: 1e-30 },
            Step::Impute {
                values: vec![0.25; n],
            },
            Step::Scale {
                shift: vec![0.125; n],
                scale: vec![1.5; n],
            },
            Step::Widen,
        ];
    }
    draft.build().unwrap()
}

fn compiled(model: &Model, isa: Isa, strategy: Strategy) -> Plan {
    Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap()
}

/// A strategy for each seed, mostly the one that uses all.
fn strategy(seed: u64) -> Strategy {
    match seed % 7 {
        1 => Strategy::BitSliced,
        3 => Strategy::Walk,
        5 => Strategy::PlainWalk,
        _ => Strategy::Auto,
    }
}

#[test]
fn loaded_plans_answer_as_before() {
    for seed in 0..42 {
        let model = model(seed);
        let n_features = model.features.len();
        let wide = random::rows(seed, &model, 530);
        let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
        for isa in Isa::available() {
            let plan = compiled(&model, isa, strategy(seed));
            let bytes = plan.save().unwrap();
            for off in [0, 4] {
                let loaded = load(off, &bytes).unwrap();
                assert_eq!(loaded.summary(), plan.summary(), "seed {seed}, {isa}");
                assert_eq!(loaded.save().unwrap(), bytes, "seed {seed}, {isa}");
                for rows in [
                    Rows::f32(&narrow, n_features).unwrap(),
                    Rows::f64(&wide, n_features).unwrap(),
                ] {
                    let (got, want) = (answers(&loaded, &rows), answers(&plan, &rows));
                    assert_eq!(got, want, "seed {seed}, {isa}, {off} off");
                }
            }
        }
    }
}

#[test]
fn damage_is_refused() {
    let plan = compiled(&model(4), Isa::detect(), Strategy::Auto);
    let bytes = plan.save().unwrap();
    let refused = |bytes: &[u8], what: &str| {
        let error = load(0, bytes).expect_err(what);
        assert_eq!(error.kind(), ErrorKind::Saved, "{what}: {error}");
        assert!(!error.message().contains('\n'), "{error}");
    };
    let step = bytes.len() / 1500 + 1;
    for at in (0..200).chain((200..bytes.len()).step_by(step)) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        refused(&damaged, &format!("byte {at}"));
    }
    for len in (0..200).chain((200..bytes.len()).step_by(step)) {
        refused(&bytes[..len], &format!("{len} bytes"));
    }
    refused(&[&bytes[..], &[0]].concat(), "a byte more");
    assert!(load(0, &bytes).is_ok());
}

#[test]
fn other_versions_are_refused() {
    let plan = compiled(&model(4), Isa::detect(), Strategy::Auto);
    let mut bytes = plan.save().unwrap();
    for at in 20..34 {
        let before = bytes[at];
        bytes[at] ^= 3;
        seal(&mut bytes);
        let error = load(0, &bytes).expect_err("another version");
        assert!(error.message().contains("another version"), "{error}");
        bytes[at] = before;
    }
}

/// Makes the checksum anew.
fn seal(bytes: &mut [u8]) {
    let sum = crc32fast::hash(&bytes[SUMMED..]);
    bytes[SUM..SUMMED].copy_from_slice(&sum.to_le_bytes());
}

/// Bytes changed on purpose: what loads runs, whatever it answers.
#[test]
fn made_up_plans_do_no_harm() {
    let (mut n_loaded, mut n_refused) = (0, 0);
    for seed in 0..42 {
        let model = model(seed);
        let n_features = model.features.len();
        let wide = random::rows(seed, &model, 520);
        let narrow: Vec<f32> = wide.iter().map(|&x| x as f32).collect();
        let mut r = Rng::new(seed);
        let isas = Isa::available();
        let isa = isas[seed as usize % isas.len()];
        let bytes = compiled(&model, isa, strategy(seed)).save().unwrap();
        for round in 0..60 {
            let mut made = bytes.clone();
            // Small fields first, where most of what can go wrong is said.
            let places = if round % 2 == 0 { 1500 } else { bytes.len() };
            for _ in 0..=r.below(2) {
                let at = 64 + r.below(places.min(bytes.len()) - 64);
                let value = [0, 1, 2, 5, 64, 127, 128, 254, 255][r.below(9)];
                let len = [1, 1, 2, 4][r.below(4)].min(bytes.len() - at);
                made[at..at + len].fill(value);
                if r.below(3) == 0 {
                    made[at] = bytes[at].wrapping_add([1, 255][r.below(2)]);
                }
            }
            seal(&mut made);
            let Ok(plan) = load(0, &made) else {
                n_refused += 1;
                continue;
            };
            n_loaded += 1;
            // Rows as the plan says that it wants them, where these serve.
            for rows in [
                Rows::f32(&narrow, n_features).unwrap(),
                Rows::f64(&wide, n_features).unwrap(),
            ] {
                if plan.n_features() == n_features {
                    answers(&plan, &rows);
                }
            }
        }
    }
    assert!(n_loaded > 300 && n_refused > 300, "{n_loaded}, {n_refused}");
}

#[test]
fn what_is_not_saved_is_named() {
    let mut draft = model(0).into_draft();
    let columns = (0..draft.features.len() as u32).collect();
    draft.steps = vec![Step::Select { columns }];
    let model = draft.build().unwrap();
    let plan = compiled(&model, Isa::detect(), Strategy::Auto);
    let error = plan.save().expect_err("a program");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("keep the model file"), "{error}");
}
