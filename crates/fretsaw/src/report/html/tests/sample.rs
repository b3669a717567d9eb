//! Reports to lay out: a usual one, and those at the edges.

use crate::measure::Latency;
use crate::metric::Metric;
use crate::report::*;
use crate::select::Objective;
use crate::session::SessionInfo;
use crate::variant::{Bound, Changes};

/// Calls around `median` nanoseconds, with a tail; the same on every run.
fn latency(batch: usize, median: f64, calls: usize) -> Latency {
    let mut state = median.to_bits() ^ batch as u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let one = |_| {
        let normal = (0..6).map(|_| uniform()).sum::<f64>() - 3.0;
        let tail = if uniform() < 0.03 {
            1.0 + 3.0 * uniform()
        } else {
            1.0
        };
        (median * (0.08 * normal).exp() * tail) as u64
    };
    Latency::of(batch, &[(0..calls).map(one).collect()])
}

fn variant(name: &str, form: &str, ns_a_row: f64, error: f64, file: u64) -> VariantReport {
    let medians = [
        (1, 900.0 + ns_a_row),
        (64, 900.0 + 60.0 * ns_a_row),
        (1024, 1000.0 * ns_a_row),
    ];
    let base = [25_000.0, 1_150_000.0, 17_900_000.0];
    let exact = error == 0.0;
    VariantReport {
        name: name.into(),
        made: true,
        form: form.into(),
        passes: if exact {
            vec![]
        } else {
            vec!["thresholds-f16".into(), "leaves-i8".into()]
        },
        fell_back_from: vec![],
        changes: if exact {
            Changes::default()
        } else {
            Changes {
                thresholds: 41_212,
                thresholds_moved: 38_020,
                thresholds_kept: 12,
                leaves: 64_000,
                leaves_kept: 0,
                leaf_scales: 1,
            }
        },
        error: ErrorFacts {
            max: error,
            mean: error / 7.0,
            rows_over: 0,
            class_flips: Some(0),
            bit_equal: exact,
        },
        bound: Some(Bound {
            margin: error * 21.0,
            answer: Some(error * 9.0),
        }),
        metric: Some(MetricFacts {
            before: 0.561_23,
            after: 0.561_23 - error,
            drop: error,
        }),
        operator: if name == "exact" {
            "ai.onnx.ml"
        } else {
            "fretsaw"
        }
        .into(),
        file_bytes: file,
        portable_bytes: 4_130_000,
        size_ratio: file as f64 / 4_130_000.0,
        memory_bytes: (file as f64 * 1.3) as u64,
        load_ms: 12.3,
        make_ms: 840.0,
        latency: medians
            .iter()
            .map(|&(b, ns)| latency(b, ns, 4000 / b.min(40)))
            .collect(),
        measured_as: None,
        speedup: medians
            .iter()
            .zip(base)
            .map(|(&(batch, ns), b)| Speedup {
                batch,
                times: b / ns,
            })
            .collect(),
        plan: "routes: 900 trees in 15 blocks; walked: 100 trees; avx2".into(),
        onnx_runtime: Some(RuntimeCheck {
            version: "1.24.4".into(),
            max_error: 1.2e-7,
            class_flips: Some(0),
        }),
        within_budget: true,
        chosen: false,
        why: "1.23 times int8: p99 of 12.30 us against 10.00 us".into(),
    }
}

/// A run as it usually goes.
pub(super) fn sample() -> Report {
    let mut exact = variant(
        "exact",
        "exact thresholds and leaves",
        610.0,
        0.0,
        4_130_000,
    );
    exact.why = "1.35 times int8: p99 of 40.10 us against 29.70 us".into();
    let mut lossless = variant(
        "int8-lossless",
        "exact thresholds and leaves",
        610.0,
        0.0,
        1_480_000,
    );
    lossless.measured_as = Some("exact".into());
    let fp16 = variant(
        "fp16",
        "f16 thresholds and leaves",
        590.0,
        2.1e-5,
        1_210_000,
    );
    let mut int8 = variant(
        "int8",
        "exact thresholds, i16 leaves",
        452.0,
        6.4e-5,
        960_000,
    );
    int8.chosen = true;
    int8.why = "the best within budget: p99 of 29.70 us".into();
    int8.fell_back_from = vec![Fallback {
        form: "exact thresholds, i8 leaves".into(),
        why: "error 0.00312 on 41 rows is over the budget of 0.00100".into(),
        max_error: Some(0.00312),
    }];
    let both = variant(
        "fp16+int8",
        "f16 thresholds, i16 leaves",
        470.0,
        8.8e-5,
        890_000,
    );
    let hash = |c: char| c.to_string().repeat(64);
    Report {
        schema: SCHEMA.into(),
        fretsaw_version: "0.1.0".into(),
        created_at: "2026-03-14T09:26:53Z".into(),
        command: "fretsaw optimize signal.ubj --data holdout.parquet --labels up --batch 1,64,1024"
            .into(),
        seconds: 21.4,
        model: ModelFacts {
            name: "signal".into(),
            path: "examples/market/signal.ubj".into(),
            format: "XGBoost UBJSON".into(),
            framework: "xgboost".into(),
            framework_version: Some("3.1.2".into()),
            objective: Some("binary:logistic".into()),
            answer: "binary".into(),
            sha256: hash('a'),
            bytes: 5_310_221,
            n_features: 42,
            n_outputs: 1,
            n_trees: 1000,
            n_leaves: 63_211,
            max_depth: 6,
        },
        data: DataFacts {
            path: "examples/market/holdout.parquet".into(),
            sha256: "5e".repeat(32),
            calibration_path: None,
            rows_setting: 5_000,
            rows_verified: 5_001,
            labels: Some("column up".into()),
        },
        input: None,
        budget: Budget {
            max_error: 1e-3,
            max_error_from: "the default for probabilities".into(),
            metric: Some(Metric::Auc),
            max_metric_drop: None,
        },
        objective: ObjectiveFacts {
            name: Objective::Latency,
            batches: vec![1, 64, 1024],
            threads: 1,
            portable: false,
        },
        machine: Machine {
            cpu: Some("AMD EPYC 9B14".into()),
            cores: 2,
            instruction_set: "avx512".into(),
            memory_bytes: Some(8_200_000_000),
            system: "Linux 6.1".into(),
        },
        baseline: BaselineFacts {
            name: "ONNX Runtime 1.24.4".into(),
            session: SessionInfo {
                backend: "ort".into(),
                backend_version: "1.24.4".into(),
                requested_provider: "CPU".into(),
                actual_provider: "CPU".into(),
                threads: 1,
            },
            what: "ONNX Runtime 1.24.4 on the exact FP32 file".into(),
            why: "what most people would run today".into(),
            latency: vec![
                latency(1, 25_000.0, 4000),
                latency(64, 1_150_000.0, 400),
                latency(1024, 17_900_000.0, 40),
            ],
            memory_bytes: Some(19_400_000),
            load_ms: 61.0,
        },
        chosen: Chosen {
            variant: "int8".into(),
            file: "model.fretsaw.onnx".into(),
            why: int8.why.clone(),
            fell_back_to_exact: false,
            speedup: int8.speedup.clone(),
        },
        variants: vec![exact, lossless, fp16, int8, both],
        files: vec![
            FileFacts {
                name: "model.onnx".into(),
                variant: "fp16".into(),
                bytes: 4_130_000,
                sha256: hash('b'),
                what: "standard operators only: runs in any ONNX runtime".into(),
            },
            FileFacts {
                name: "model.fretsaw.onnx".into(),
                variant: "int8".into(),
                bytes: 960_000,
                sha256: hash('c'),
                what: "the chosen variant: needs the operator fretsaw.TreeEnsemble".into(),
            },
        ],
        notices: vec![
            "a portable fp16 file holds rounded values in f32, so it is no smaller".into(),
        ],
    }
}

/// Only the exact variant, measured at one batch size against our own walk, without labels.
pub(super) fn alone() -> Report {
    let mut r = sample();
    r.variants.truncate(1);
    let v = &mut r.variants[0];
    (v.chosen, v.metric, v.error.class_flips, v.onnx_runtime) = (true, None, None, None);
    v.latency.truncate(1);
    v.latency[0] = Latency::of(1, &[vec![1500]]);
    v.speedup.truncate(1);
    r.baseline.latency.truncate(1);
    r.baseline.name = "our own one-row walk".into();
    r.baseline.what = "our own walk, one row at a time, on one thread".into();
    r.baseline.why = "no ONNX Runtime: no library was found; name one with ORT_DYLIB_PATH".into();
    r.baseline.memory_bytes = None;
    r.objective.batches = vec![1];
    r.budget.metric = None;
    r.data.labels = None;
    r.data.calibration_path = Some("train.parquet".into());
    r.chosen.variant = "exact".into();
    r.chosen.file = "model.onnx".into();
    r.chosen.fell_back_to_exact = true;
    r.files.truncate(1);
    r.files[0].variant = "exact".into();
    r.notices
        .push("no file was run in ONNX Runtime: no library was found".into());
    r
}

/// Everything fell back to exact answers or could not be made.
pub(super) fn all_exact() -> Report {
    let mut r = sample();
    let (first, rest) = r.variants.split_at_mut(1);
    for v in rest.iter_mut() {
        v.form = "exact thresholds and leaves".into();
        v.error = first[0].error;
        v.bound = Some(Bound {
            margin: 0.0,
            answer: Some(0.0),
        });
        v.measured_as = Some("exact".into());
        v.latency = first[0].latency.clone();
        v.speedup = first[0].speedup.clone();
        v.passes = vec![];
        v.fell_back_from.push(Fallback {
            form: format!("{} leaves", v.name),
            why: "error 0.0214 on 420 rows is over the budget of 1.00e-6".into(),
            max_error: Some(0.0214),
        });
    }
    r.budget.max_error = 1e-6;
    let last = r.variants.last_mut().unwrap();
    *last = VariantReport {
        made: false,
        form: "none".into(),
        passes: vec![],
        changes: Changes::default(),
        error: ErrorFacts::default(),
        bound: None,
        metric: None,
        file_bytes: 0,
        portable_bytes: 0,
        size_ratio: 0.0,
        memory_bytes: 0,
        load_ms: 0.0,
        latency: vec![],
        measured_as: None,
        speedup: vec![],
        plan: String::new(),
        onnx_runtime: None,
        within_budget: false,
        why: "the leaves of tree 0 are linear functions".into(),
        ..last.clone()
    };
    r
}

/// Figures that are no numbers, budgets that are no budgets, many batch sizes.
pub(super) fn odd() -> Report {
    let mut r = sample();
    r.variants[2].error.max = f64::NAN;
    r.variants[2].size_ratio = f64::NAN;
    r.variants[3].error.max = f64::INFINITY;
    r.variants[3].within_budget = false;
    r.variants[3].bound = Some(Bound {
        margin: f64::INFINITY,
        answer: None,
    });
    r.variants[4].bound = None;
    r.variants[4].speedup[0].times = f64::INFINITY;
    r.variants[4].speedup[1].times = f64::NAN;
    r.variants[4].metric = Some(MetricFacts {
        before: f64::NAN,
        after: f64::INFINITY,
        drop: f64::NAN,
    });
    r.budget.max_error = f64::INFINITY;
    r.seconds = f64::NAN;
    let batches = [1, 2, 8, 32, 128, 512, 2048, 8192, 100_000];
    r.objective.batches = batches.to_vec();
    for (i, v) in r.variants.iter_mut().enumerate() {
        let ns = |b: usize| 500.0 + (400.0 - 30.0 * i as f64) * b as f64;
        v.latency = batches.iter().map(|&b| latency(b, ns(b), 50)).collect();
        if i != 4 {
            v.speedup = batches
                .iter()
                .map(|&b| Speedup {
                    batch: b,
                    times: 20_000.0 / ns(b) * b as f64,
                })
                .collect();
        }
    }
    r.baseline.latency = batches
        .iter()
        .map(|&b| latency(b, 20_000.0 * b as f64, 50))
        .collect();
    r.baseline.latency[1].histogram.clear();
    r
}

const HOSTILE: &str = "<script>alert('x')</script>\"&]]><!--\u{202e}\0 http://evil.example/";

/// Every text is hostile, and long.
pub(super) fn hostile() -> Report {
    let mut r = sample();
    let long = format!("{HOSTILE}{}", "wide_name_without_a_break_".repeat(12));
    for text in [
        &mut r.schema,
        &mut r.fretsaw_version,
        &mut r.created_at,
        &mut r.command,
        &mut r.model.name,
        &mut r.model.path,
        &mut r.model.format,
        &mut r.model.framework,
        &mut r.model.answer,
        &mut r.model.sha256,
        &mut r.data.path,
        &mut r.budget.max_error_from,
        &mut r.machine.instruction_set,
        &mut r.machine.system,
        &mut r.baseline.name,
        &mut r.baseline.what,
        &mut r.baseline.why,
        &mut r.baseline.session.backend,
        &mut r.baseline.session.backend_version,
        &mut r.baseline.session.actual_provider,
        &mut r.chosen.variant,
        &mut r.chosen.file,
        &mut r.chosen.why,
    ] {
        text.clone_from(&long);
    }
    for text in [
        &mut r.model.framework_version,
        &mut r.model.objective,
        &mut r.data.calibration_path,
        &mut r.data.labels,
        &mut r.machine.cpu,
    ] {
        *text = Some(long.clone());
    }
    for (i, v) in r.variants.iter_mut().enumerate() {
        for text in [&mut v.form, &mut v.operator, &mut v.plan, &mut v.why] {
            text.clone_from(&long);
        }
        v.name = format!("{long}{i}");
        v.passes = vec![long.clone()];
        v.fell_back_from = vec![Fallback {
            form: long.clone(),
            why: long.clone(),
            max_error: Some(1e-2),
        }];
        v.measured_as = v.measured_as.as_ref().map(|_| format!("{long}0"));
    }
    for f in &mut r.files {
        for text in [&mut f.name, &mut f.variant, &mut f.sha256, &mut f.what] {
            text.clone_from(&long);
        }
    }
    r.notices = vec![long];
    r
}

/// Every report of these tests, by name.
pub(super) fn reports() -> Vec<(&'static str, Report)> {
    let nothing = Report {
        variants: vec![],
        files: vec![],
        notices: vec![],
        ..sample()
    };
    vec![
        ("sample", sample()),
        ("alone", alone()),
        ("all-exact", all_exact()),
        ("odd", odd()),
        ("hostile", hostile()),
        ("nothing", nothing),
    ]
}
