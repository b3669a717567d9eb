//! Features that are looked up in tables: what stands for categories where a number of their own
//! means nothing (CatBoost's one-hot values and target statistics).
//!
//! A [`Derived`] makes a key of some of a row's values and takes what its table says of that key. It is
//! no encoder: the tables are given, and a key that is not in them has given values.

/// Features made by looking up a combination of others in one table.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// What the key is made of, in order.
    pub parts: Vec<KeyPart>,
    /// The keys that the table has, ascending, without repetition.
    pub keys: Vec<u64>,
    /// As many values for each key as there are in `otherwise`.
    pub values: Vec<f64>,
    /// The values of any other key, and of a row whose category is no whole number of 32 bits: one
    /// for each feature that is made.
    pub otherwise: Vec<f64>,
}

/// One value that goes into a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KeyPart {
    /// The category itself, by its hash: a whole number of 32 bits.
    Category {
        /// The feature.
        feature: u32,
    },
    /// Whether the category is this one.
    Is {
        /// The feature.
        feature: u32,
        /// The category's hash.
        category: u32,
    },
    /// Whether the value, cast to f32, is above a border.
    Above {
        /// The feature.
        feature: u32,
        /// The border.
        border: f32,
        /// Whether a missing value counts as above.
        missing: bool,
    },
}

impl KeyPart {
    /// The feature that it looks at.
    pub fn feature(self) -> u32 {
        match self {
            Self::Category { feature } | Self::Is { feature, .. } | Self::Above { feature, .. } => {
                feature
            }
        }
    }

    /// Whether it needs a hash, which f32 rows cannot hold.
    pub fn is_hashed(self) -> bool {
        !matches!(self, Self::Above { .. })
    }
}

impl Derived {
    /// The key of a row, which holds the values of all features before this one; `None` where a
    /// category is no hash.
    ///
    /// # Panics
    /// When a part looks at a feature beyond the row.
    pub fn key(&self, x: &[f64]) -> Option<u64> {
        self.parts.iter().try_fold(0, |key, part| {
            let v = x[part.feature() as usize];
            Some(extend_key(
                key,
                match *part {
                    // The hash counts as a signed number, widened.
                    KeyPart::Category { .. } => hash_of(v)? as i32 as u64,
                    KeyPart::Is { category, .. } => u64::from(hash_of(v)? == category),
                    KeyPart::Above { missing, .. } if v.is_nan() => u64::from(missing),
                    KeyPart::Above { border, .. } => u64::from(v as f32 > border),
                },
            ))
        })
    }

    /// The values for a row, one for each feature that is made.
    ///
    /// # Panics
    /// When a part looks at a feature beyond the row.
    pub fn values_of(&self, x: &[f64]) -> &[f64] {
        let width = self.otherwise.len();
        self.key(x)
            .and_then(|key| self.keys.binary_search(&key).ok())
            .map_or(&self.otherwise, |i| &self.values[i * width..][..width])
    }
}

/// The key of a sequence that goes on with `part`: CatBoost's `CalcHash`. A key starts from 0.
pub fn extend_key(key: u64, part: u64) -> u64 {
    const M: u64 = 0x4906_ba49_4954_cb65;
    M.wrapping_mul(key.wrapping_add(M.wrapping_mul(part)))
}

fn hash_of(x: f64) -> Option<u32> {
    (x >= 0.0 && x <= f64::from(u32::MAX) && x.trunc() == x).then_some(x as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_of_every_part_in_its_order() {
        let parts = vec![
            KeyPart::Category { feature: 0 },
            KeyPart::Above {
                feature: 1,
                border: 0.1,
                missing: true,
            },
            KeyPart::Is {
                feature: 0,
                category: 7,
            },
        ];
        // A hash beyond 2^31 counts as negative.
        let signed = extend_key(extend_key(extend_key(0, u64::MAX), 1), 0);
        let seven = extend_key(extend_key(extend_key(0, 7), 0), 1);
        let mut rows = [(signed, 1.5), (seven, 2.5)];
        rows.sort_unstable_by_key(|r| r.0);
        let table = Derived {
            parts,
            keys: rows.iter().map(|r| r.0).collect(),
            values: rows.iter().flat_map(|r| [r.1, -r.1]).collect(),
            otherwise: vec![-1.0, -2.0],
        };
        let last = f64::from(u32::MAX);
        // (category, value, what the table says)
        let cases = [
            (last, 0.2, [1.5, -1.5]),
            (last, f64::NAN, [1.5, -1.5]),
            (last, 0.0, [-1.0, -2.0]),
            (7.0, 0.0, [2.5, -2.5]),
            // As f32, it is on the border and not above.
            (7.0, 0.1 + 1e-10, [2.5, -2.5]),
            (7.0, 0.2, [-1.0, -2.0]),
            (7.5, 0.0, [-1.0, -2.0]),
            (-1.0, 0.2, [-1.0, -2.0]),
            (last + 1.0, 0.2, [-1.0, -2.0]),
            (f64::NAN, 0.0, [-1.0, -2.0]),
        ];
        for (category, value, want) in cases {
            assert_eq!(
                table.values_of(&[category, value]),
                want,
                "{category} {value}"
            );
        }
    }
}
