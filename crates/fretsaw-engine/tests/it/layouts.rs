//! How rows are laid out changes no answer: columns of every type against the row-major table of
//! the same values, in the reference predictor and in the engine.

use fretsaw_engine::{Isa, MarginsMut, Options, Plan, Scratch, Strategy};
use fretsaw_model::random::{self, Rng, Shape};
use fretsaw_model::{Bits, Column, Float, Model, Rows};

/// A column's own memory.
enum Held {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I8(Vec<i8>),
    I64(Vec<i64>),
    U16(Vec<u16>),
    U32(Vec<u32>),
    Bool(Vec<u8>),
    Missing(usize),
}

/// Columns with the row-major tables of the same values, cast once.
struct Table {
    held: Vec<(Held, Option<Vec<u8>>)>,
    n_rows: usize,
    single: bool,
    f32s: Vec<f32>,
    f64s: Vec<f64>,
}

/// Bits do not begin with a byte, as those of sliced arrays do not.
const FIRST_BIT: usize = 3;

fn bits(n: usize, mut is_set: impl FnMut(usize) -> bool) -> Vec<u8> {
    let mut bytes = vec![0; (FIRST_BIT + n).div_ceil(8)];
    for at in (0..n).filter(|&at| is_set(at)) {
        bytes[(FIRST_BIT + at) / 8] |= 1 << ((FIRST_BIT + at) % 8);
    }
    bytes
}

impl Table {
    /// `values` are row-major; each column takes them as its type can.
    fn new(r: &mut Rng, values: &[f64], n_features: usize, only_short: bool) -> Self {
        let n_rows = values.len() / n_features;
        let (mut f32s, mut f64s) = (vec![0.0; values.len()], vec![0.0; values.len()]);
        let (mut all_fit, mut some_f32) = (true, false);
        let mut held = Vec::new();
        for feature in 0..n_features {
            let at = |row: usize| row * n_features + feature;
            let column = || (0..n_rows).map(|row| values[at(row)]);
            let kind = match (only_short, feature) {
                (true, 0) => 0,
                (true, _) => r.below(5),
                (false, _) => r.below(9),
            };
            let mut put = |row: usize, narrow: f32, wide: f64| {
                f32s[at(row)] = narrow;
                f64s[at(row)] = wide;
            };
            macro_rules! of {
                ($kind:ident, $t:ty) => {{
                    // Beyond what f32 and f64 hold, so that a second rounding would show.
                    let v: Vec<$t> = column().map(|x| (x * 12345.678) as $t).collect();
                    (0..)
                        .zip(&v)
                        .for_each(|(row, &x)| put(row, x as f32, x as f64));
                    Held::$kind(v)
                }};
            }
            let values = match kind {
                0 | 5 => {
                    let v: Vec<f32> = column().map(|x| x as f32).collect();
                    (0..).zip(&v).for_each(|(row, &x)| put(row, x, x.into()));
                    some_f32 = true;
                    Held::F32(v)
                }
                1 => of!(I8, i8),
                2 => of!(U16, u16),
                3 => {
                    let is_set = |row| values[at(row)] > 0.25;
                    for row in 0..n_rows {
                        let x = u8::from(is_set(row));
                        put(row, x.into(), x.into());
                    }
                    Held::Bool(bits(n_rows, is_set))
                }
                4 => {
                    (0..n_rows).for_each(|row| put(row, f32::NAN, f64::NAN));
                    Held::Missing(n_rows)
                }
                6 => of!(U32, u32),
                7 => {
                    let v: Vec<i64> = column().map(|x| (x * 1e17) as i64 | 1).collect();
                    (0..)
                        .zip(&v)
                        .for_each(|(row, &x)| put(row, x as f32, x as f64));
                    Held::I64(v)
                }
                _ => {
                    let v: Vec<f64> = column().collect();
                    (0..).zip(&v).for_each(|(row, &x)| put(row, x as f32, x));
                    Held::F64(v)
                }
            };
            all_fit &= kind < 6;
            let valid = r.one_in(3).then(|| {
                bits(n_rows, |row| {
                    let is_there = !r.one_in(4);
                    if !is_there {
                        (f32s[at(row)], f64s[at(row)]) = (f32::NAN, f64::NAN);
                    }
                    is_there
                })
            });
            held.push((values, valid));
        }
        Self {
            held,
            n_rows,
            single: all_fit && some_f32,
            f32s,
            f64s,
        }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        fn bits(bytes: &[u8], n: usize) -> Bits<'_> {
            Bits::new(bytes, FIRST_BIT, n).unwrap()
        }
        let mut columns = Vec::new();
        for (held, valid) in &self.held {
            let column = match held {
                Held::F32(v) => Column::from(&v[..]),
                Held::F64(v) => Column::from(&v[..]),
                Held::I8(v) => Column::from(&v[..]),
                Held::I64(v) => Column::from(&v[..]),
                Held::U16(v) => Column::from(&v[..]),
                Held::U32(v) => Column::from(&v[..]),
                Held::Bool(bytes) => Column::bools(bits(bytes, self.n_rows)),
                Held::Missing(n) => Column::missing(*n),
            };
            columns.push(match valid {
                Some(bytes) => column.with_validity(bits(bytes, self.n_rows)).unwrap(),
                None => column,
            });
        }
        columns
    }
}

fn margins(plan: &Plan, rows: &Rows<'_>, scratch: &mut Scratch) -> Vec<f64> {
    let n = rows.n_rows() * plan.n_outputs();
    match plan.margin() {
        Float::F32 => {
            let mut out = vec![f32::NAN; n];
            plan.margins(rows, MarginsMut::F32(&mut out), scratch)
                .unwrap();
            out.into_iter().map(f64::from).collect()
        }
        Float::F64 => {
            let mut out = vec![f64::NAN; n];
            plan.margins(rows, MarginsMut::F64(&mut out), scratch)
                .unwrap();
            out
        }
    }
}

fn assert_same(got: &[f64], want: &[f64], what: &dyn Fn() -> String) {
    assert_eq!(got.len(), want.len(), "{}", what());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.to_bits() == w.to_bits() || (g.is_nan() && w.is_nan());
        assert!(same, "{}: value {i} is {g:e}, not {w:e}", what());
    }
}

/// `values` as columns of mixed types answer as the row-major tables do, from some row on.
fn check(model: &Model, seed: u64, values: &[f64], scratch: &mut Scratch) {
    let n_features = model.features.len();
    let mut r = Rng::new(seed);
    let table = Table::new(&mut r, values, n_features, seed.is_multiple_of(2));
    let columns = table.columns();
    let natural = Rows::columns(&columns).unwrap();
    let float = if table.single { Float::F32 } else { Float::F64 };
    assert_eq!(natural.float(), float, "seed {seed}");
    let skipped = r.below(table.n_rows.min(9) + 1);
    for float in [Float::F32, Float::F64] {
        if float == Float::F32 && model.needs_double_rows() {
            continue;
        }
        let row_major = match float {
            Float::F32 => Rows::f32(&table.f32s, n_features),
            Float::F64 => Rows::f64(&table.f64s, n_features),
        };
        let row_major = row_major.unwrap().slice(skipped..table.n_rows);
        let in_columns = Rows::columns_in(&columns, float).unwrap();
        let in_columns = in_columns.slice(skipped..table.n_rows);
        let want = fretsaw_model::body_rows(model, &row_major).unwrap();
        let what = || format!("seed {seed}, {float:?}");
        let got: Vec<f64> = in_columns.row_major().collect();
        let values: Vec<f64> = row_major.row_major().collect();
        assert_same(&got, &values, &|| format!("values of {}", what()));
        let got = fretsaw_model::body_rows(model, &in_columns).unwrap();
        assert_same(&got, &want, &|| format!("reference, {}", what()));
        for isa in Isa::available() {
            for strategy in [Strategy::Auto, Strategy::BitSliced, Strategy::Walk] {
                let plan = Plan::compile(model, &Options::new(Some(isa), strategy)).unwrap();
                for rows in [row_major, in_columns] {
                    let got = margins(&plan, &rows, scratch);
                    assert_same(&got, &want, &|| format!("{}, {isa}, {strategy:?}", what()));
                }
            }
        }
    }
}

#[test]
fn ensembles() {
    let mut scratch = Scratch::default();
    for seed in 0..30 {
        let model = random::model(seed);
        let n = [1, 5, 64, 300, 513, 700][seed as usize % 6];
        let values = random::rows(seed, &model, n);
        check(&model, seed, &values, &mut scratch);
    }
}

/// f64 rows straight into f32 columns, and sliced and walked trees of one ensemble.
#[test]
fn large_and_small_trees() {
    let mut scratch = Scratch::default();
    for seed in 0..4 {
        let shape = Shape {
            compare: if seed < 2 { Float::F32 } else { Float::F64 },
            max_leaves: 300,
            n_trees: 30,
            ..Shape::default()
        };
        let model = random::ensemble(seed, &shape);
        let values = random::rows(seed, &model, 530);
        check(&model, seed, &values, &mut scratch);
    }
}

/// Steps in front: those that compute in the rows' precision, and programs.
#[test]
fn pipelines() {
    let mut scratch = Scratch::default();
    let mut ran = 0;
    for seed in 0..60 {
        let model = random::composite(seed);
        let values = random::composite_rows(seed, &model, 20);
        let rows = Rows::f64(&values, model.features.len()).unwrap();
        // Types that change values may be refused; only models that take anything are asked.
        if model.needs_double_rows() || refuses(&model) || rows.n_rows() == 0 {
            continue;
        }
        check(&model, seed, &values, &mut scratch);
        ran += 1;
    }
    assert!(ran > 20, "{ran} models that refuse nothing");
}

/// Whether any row of a few could be refused: an encoder that takes no unknown category.
fn refuses(model: &Model) -> bool {
    model.input_uses().iter().any(|used| used.closed)
}

/// Rows whose features are not as many as the columns, and columns that differ in length.
#[test]
fn shapes_are_checked() {
    let (a, b) = ([1.0_f32; 3], [1.0_f64; 2]);
    let columns = [Column::from(&a[..]), Column::from(&b[..])];
    let message = Rows::columns(&columns).unwrap_err().to_string();
    assert!(message.contains("column 1 has 2 values"), "{message}");
    let rows = Rows::columns(&columns[..1]).unwrap();
    assert_eq!((rows.n_rows(), rows.n_features()), (3, 1));
    let plan = Plan::compile(&random::model(1), &Options::default()).unwrap();
    let out = MarginsMut::F32(&mut []);
    plan.margins(&rows, out, &mut plan.scratch()).unwrap_err();
    let none = Rows::columns(&[]).unwrap();
    assert_eq!((none.n_rows(), none.n_features()), (0, 0));
}
