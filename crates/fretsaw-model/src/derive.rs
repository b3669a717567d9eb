//! Features that are looked up in tables: what stands for categories where a number of their own
//! means nothing (CatBoost's one-hot values and target statistics).
//!
//! A [`Derived`] feature makes a key of some of a row's values and takes what its table says of that
//! key. It is no encoder: the tables are given, and a key that is not in them has one given value.

/// A feature made by looking up a combination of others.
#[derive(Clone, Debug, PartialEq)]
pub struct Derived {
    /// What the key is made of, in order.
    pub parts: Vec<KeyPart>,
    /// The keys that the table has, ascending, without repetition.
    pub keys: Vec<u64>,
    /// The value of each key.
    pub values: Vec<f64>,
    /// The value of any other key, and of a row whose category is no whole number of 32 bits.
    pub otherwise: f64,
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

    /// The value for a row.
    ///
    /// # Panics
    /// When a part looks at a feature beyond the row.
    pub fn value(&self, x: &[f64]) -> f64 {
        self.key(x)
            .and_then(|key| self.keys.binary_search(&key).ok())
            .map_or(self.otherwise, |i| self.values[i])
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
