//! The hash that stands for a category of text: the low half of CityHash64 in its first version (Geoff
//! Pike and Jyrki Alakuijala, 2011), as CatBoost has it. Later versions give other numbers.

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;
const K3: u64 = 0xc949_d7c7_509e_6557;

/// The hash of a category's text.
pub fn category_hash(text: &str) -> u32 {
    city64(text.as_bytes()) as u32
}

fn city64(s: &[u8]) -> u64 {
    match s.len() {
        0..=16 => short(s),
        17..=32 => medium(s),
        33..=64 => long(s),
        _ => longer(s),
    }
}

fn at64(s: &[u8], at: usize) -> u64 {
    s[at..].first_chunk().map_or(0, |b| u64::from_le_bytes(*b))
}

fn at32(s: &[u8], at: usize) -> u64 {
    s[at..]
        .first_chunk()
        .map_or(0, |b| u64::from(u32::from_le_bytes(*b)))
}

fn shift_mix(v: u64) -> u64 {
    v ^ (v >> 47)
}

/// Two numbers to one.
fn mix(u: u64, v: u64) -> u64 {
    const M: u64 = 0x9ddf_ea08_eb38_2d69;
    let a = shift_mix((u ^ v).wrapping_mul(M));
    shift_mix((v ^ a).wrapping_mul(M)).wrapping_mul(M)
}

fn short(s: &[u8]) -> u64 {
    let n = s.len();
    let len = n as u64;
    match n {
        0 => K2,
        1..=3 => {
            let [a, b, c] = [s[0], s[n / 2], s[n - 1]].map(u64::from);
            let y = a + (b << 8);
            let z = len + (c << 2);
            shift_mix(y.wrapping_mul(K2) ^ z.wrapping_mul(K3)).wrapping_mul(K2)
        }
        4..=8 => mix(len + (at32(s, 0) << 3), at32(s, n - 4)),
        _ => {
            let (a, b) = (at64(s, 0), at64(s, n - 8));
            mix(a, b.wrapping_add(len).rotate_right(n as u32)) ^ b
        }
    }
}

fn medium(s: &[u8]) -> u64 {
    let n = s.len();
    let a = at64(s, 0).wrapping_mul(K1);
    let b = at64(s, 8);
    let c = at64(s, n - 8).wrapping_mul(K2);
    let d = at64(s, n - 16).wrapping_mul(K0);
    mix(
        a.wrapping_sub(b)
            .rotate_right(43)
            .wrapping_add(c.rotate_right(30))
            .wrapping_add(d),
        a.wrapping_add((b ^ K3).rotate_right(20))
            .wrapping_sub(c)
            .wrapping_add(n as u64),
    )
}

/// One half of a text of 33 to 64 bytes: `first` and the 24 bytes from `at`, with `z` after them.
fn half(s: &[u8], at: usize, first: u64, z: u64) -> (u64, u64) {
    let mut a = first;
    let mut c = a.rotate_right(37);
    let b = a.wrapping_add(z).rotate_right(52);
    a = a.wrapping_add(at64(s, at + 8));
    c = c.wrapping_add(a.rotate_right(7));
    a = a.wrapping_add(at64(s, at + 16));
    (
        a.wrapping_add(z),
        b.wrapping_add(a.rotate_right(31)).wrapping_add(c),
    )
}

fn long(s: &[u8]) -> u64 {
    let n = s.len();
    let first = at64(s, 0).wrapping_add((n as u64).wrapping_add(at64(s, n - 16)).wrapping_mul(K0));
    let (vf, vs) = half(s, 0, first, at64(s, 24));
    let first = at64(s, 16).wrapping_add(at64(s, n - 32));
    let (wf, ws) = half(s, n - 32, first, at64(s, n - 8));
    let r = vf
        .wrapping_add(ws)
        .wrapping_mul(K2)
        .wrapping_add(wf.wrapping_add(vs).wrapping_mul(K0));
    shift_mix(shift_mix(r).wrapping_mul(K0).wrapping_add(vs)).wrapping_mul(K2)
}

/// 32 bytes and two seeds to two numbers.
fn weak(s: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|i| at64(s, at + i));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(x).wrapping_add(y);
    let b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

fn longer(s: &[u8]) -> u64 {
    let n = s.len();
    let len = n as u64;
    let mut x = at64(s, 0);
    let mut y = at64(s, n - 16) ^ K1;
    let mut z = at64(s, n - 56) ^ K0;
    let mut v = weak(s, n - 64, len, y);
    let mut w = weak(s, n - 32, len.wrapping_mul(K1), K0);
    z = z.wrapping_add(shift_mix(v.1).wrapping_mul(K1));
    x = z.wrapping_add(x).rotate_right(39).wrapping_mul(K1);
    y = y.rotate_right(33).wrapping_mul(K1);
    for at in (0..(n - 1) & !63).step_by(64) {
        x = x
            .wrapping_add(y)
            .wrapping_add(v.0)
            .wrapping_add(at64(s, at + 16))
            .rotate_right(37)
            .wrapping_mul(K1);
        y = y
            .wrapping_add(v.1)
            .wrapping_add(at64(s, at + 48))
            .rotate_right(42)
            .wrapping_mul(K1);
        x ^= w.1;
        y ^= v.0;
        z = (z ^ w.0).rotate_right(33);
        v = weak(s, at, v.1.wrapping_mul(K1), x.wrapping_add(w.0));
        w = weak(s, at + 32, z.wrapping_add(w.1), y);
        std::mem::swap(&mut z, &mut x);
    }
    mix(
        mix(v.0, w.0)
            .wrapping_add(shift_mix(y).wrapping_mul(K1))
            .wrapping_add(z),
        mix(v.1, w.1).wrapping_add(x),
    )
}
