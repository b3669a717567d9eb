//! The quantiles of the standard normal distribution, by the rational approximations of the Cephes
//! library (Stephen Moshier), which SciPy's `ndtri` uses too. The coefficients are public for those who
//! write the function out elsewhere.

/// Over, in the middle: from the highest power of the squared distance to 1/2.
pub const P0: [f64; 5] = [
    -5.996_335_010_141_079e1,
    9.800_107_541_859_997e1,
    -5.667_628_574_690_703e1,
    1.393_126_093_872_795e1,
    -1.239_165_838_673_812_5,
];
/// Under, in the middle, without the leading 1.
pub const Q0: [f64; 8] = [
    1.954_488_583_381_417_6,
    4.676_279_128_988_815,
    8.636_024_213_908_905e1,
    -2.254_626_878_541_193_7e2,
    2.002_602_123_800_606_6e2,
    -8.203_722_561_683_334e1,
    1.590_562_251_262_117e1,
    -1.183_316_211_213_3,
];
/// Over, in the near tail: from the highest power of `1 / x`, where `x` is `sqrt(-2 ln p)`, below 8.
pub const P1: [f64; 9] = [
    4.055_448_923_059_624,
    3.152_510_945_998_939e1,
    5.716_281_922_464_213e1,
    4.408_050_738_932_008e1,
    1.468_495_619_288_580_2e1,
    2.186_633_068_507_902_5,
    -1.402_560_791_713_545e-1,
    -3.504_246_268_278_482e-2,
    -8.574_567_851_546_854e-4,
];
/// Under, in the near tail, without the leading 1.
pub const Q1: [f64; 8] = [
    1.577_998_832_564_667_5e1,
    4.539_076_351_288_792e1,
    4.131_720_382_546_72e1,
    1.504_253_856_929_075e1,
    2.504_649_462_083_094,
    -1.421_829_228_547_877_9e-1,
    -3.808_064_076_915_783e-2,
    -9.332_594_808_954_574e-4,
];
/// Over, in the far tail.
pub const P2: [f64; 9] = [
    3.237_748_917_769_460_3,
    6.915_228_890_689_842,
    3.938_810_252_924_744_4,
    1.333_034_608_158_076,
    2.014_853_895_491_790_8e-1,
    1.237_166_348_178_200_3e-2,
    3.015_815_535_082_354e-4,
    2.658_069_746_867_375_5e-6,
    6.239_745_391_849_833e-9,
];
/// Under, in the far tail, without the leading 1.
pub const Q2: [f64; 8] = [
    6.024_270_393_647_42,
    3.679_835_638_561_608_6,
    1.377_020_994_890_813_2,
    2.162_369_935_944_966_3e-1,
    1.342_040_060_885_431_8e-2,
    3.280_144_646_821_277_4e-4,
    2.892_478_647_453_806_8e-6,
    6.790_194_080_099_813e-9,
];

/// `exp(-2)`, where the middle ends.
pub const EDGE: f64 = 0.135_335_283_236_612_7;

/// The value below which a share `p` of the standard normal distribution lies: infinite at 0 and 1,
/// NaN beyond.
pub(crate) fn quantile(p: f64) -> f64 {
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    if p == 1.0 {
        return f64::INFINITY;
    }
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let upper = p > 1.0 - EDGE;
    let y = if upper { 1.0 - p } else { p };
    if y > EDGE {
        let y = y - 0.5;
        let y2 = y * y;
        return (y + y * (y2 * polynomial(y2, &P0) / monic(y2, &Q0))) * SQRT_2_PI;
    }
    let x = (-2.0 * y.ln()).sqrt();
    let x0 = x - x.ln() / x;
    let z = 1.0 / x;
    let x1 = if x < 8.0 {
        z * polynomial(z, &P1) / monic(z, &Q1)
    } else {
        z * polynomial(z, &P2) / monic(z, &Q2)
    };
    if upper { x0 - x1 } else { x1 - x0 }
}

/// The root of 2 pi.
pub const SQRT_2_PI: f64 = 2.506_628_274_631_000_5;

fn polynomial(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// With a leading coefficient of 1 that is not stored.
fn monic(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(1.0, |sum, c| sum * x + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_scipys() {
        // scipy.special.ndtri
        for (p, want) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.025, -1.959_963_984_540_054),
            (0.841_344_746_068_542_9, 1.0),
            (1e-7, -5.199_337_582_192_817),
            (1e-20, -9.262_340_089_798_408),
        ] {
            let got = quantile(p);
            assert!(
                (got - want).abs() <= 2e-15 * want.abs().max(1.0),
                "{p}: {got} for {want}"
            );
        }
        assert_eq!(quantile(0.0), f64::NEG_INFINITY);
        assert!(quantile(1.5).is_nan());
    }
}
