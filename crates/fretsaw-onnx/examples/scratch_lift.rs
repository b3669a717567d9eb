use fretsaw_model::*;
use std::{fs,path::Path};
fn npy(path: &Path) -> (Vec<f64>, usize) {
    let b = fs::read(path).unwrap();
    let len = usize::from(u16::from_le_bytes([b[8], b[9]]));
    let h = String::from_utf8_lossy(&b[10..10 + len]).to_string();
    let d = &b[10 + len..];
    let v: Vec<f64> = if h.contains("<f4") { d.chunks_exact(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect() }
    else if h.contains("<f8") { d.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect() }
    else { d.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect() };
    let s = h.split_once('(').unwrap().1.split_once(')').unwrap().0.to_string();
    let w = s.split(',').filter_map(|d| d.trim().parse::<usize>().ok()).nth(1).unwrap_or(1);
    (v, w)
}
fn main() {
    let mut all: Vec<_> = fs::read_dir(std::env::args().nth(1).unwrap()).unwrap().map(|c| c.unwrap().path()).collect();
    all.sort();
    for c in all {
        let name = c.file_name().unwrap().to_string_lossy().to_string();
        let m = fretsaw_onnx::read(fs::read(c.join("model.onnx")).unwrap()).unwrap();
        let m = match fretsaw_onnx::lift(&m) { Ok(m) => m, Err(e) => { println!("{name:14} REFUSED {e}"); continue } };
        let (x, n) = npy(&c.join("X.npy"));
        let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
        let rows = Rows::f32(&x, n).unwrap();
        let got = predict(&m, &rows).unwrap();
        let mg = margins(&m, &rows).unwrap();
        let mut line = String::new();
        for f in fs::read_dir(&c).unwrap() {
            let f = f.unwrap().path();
            let o = f.file_name().unwrap().to_string_lossy().to_string();
            if !o.starts_with("ort_") { continue }
            let (w, width) = npy(&f);
            if o.contains("label") {
                let l = labels(&m, &mg, &got);
                let bad = l.map(|l| l.iter().zip(&w).filter(|(k, w)| m.class_name(**k) != w.to_string()).count());
                line += &format!(" labels off {bad:?}");
            } else {
                let d = got.iter().zip(&w).map(|(g, w)| (g - w).abs() / (1.0+w.abs())).fold(0.0, |a: f64, b| if b.is_nan() {9.9} else {a.max(b)});
                line += &format!(" width {} of {} maxrel {d:.1e}", m.n_columns(), width);
            }
        }
        println!("{name:14} {line} {:?} {:?} {:?}", m.answer, m.decision, m.labels);
        match fretsaw_onnx::lower(&m, &Default::default()).and_then(|o| fretsaw_onnx::lift(&o)) { Ok(b) => {
            let g2 = predict(&b, &rows).unwrap();
            let d = got.iter().zip(&g2).map(|(g, w)| (g - w).abs() / (1.0+w.abs())).fold(0.0, |a: f64, b| if b.is_nan() {9.9} else {a.max(b)});
            println!("                    again {d:.1e} same width {}", g2.len()==got.len()) }
            Err(e) => println!("                    again: {e}") }
    }
}
