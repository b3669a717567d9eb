//! f64 thresholds for f32 inputs, without loss: the neighbour that keeps every comparison, never
//! the nearest.
//!
//! For f32 `x`: `x <= t` is `x <= floor32(t)`, and `x < t` is `x < ceil32(t)`.

/// The largest f32 that is not above `t`.
pub fn floor32(t: f64) -> f32 {
    let near = t as f32;
    if f64::from(near) > t {
        near.next_down()
    } else {
        near
    }
}

/// The smallest f32 that is not below `t`.
pub fn ceil32(t: f64) -> f32 {
    let near = t as f32;
    if f64::from(near) < t {
        near.next_up()
    } else {
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_keep_every_comparison() {
        let values = [
            0.1,
            -0.1,
            0.0,
            1e-50,
            -1e-50,
            1.5,
            3.5e38,
            -3.5e38,
            f64::INFINITY,
            f64::NEG_INFINITY,
            16_777_217.0,
            f64::from(f32::MAX),
        ];
        for t in values {
            let near = t as f32;
            for x in [
                near,
                near.next_up(),
                near.next_down(),
                f32::INFINITY,
                f32::NEG_INFINITY,
                0.0,
                f32::MAX,
                f32::MIN,
            ] {
                let wide = f64::from(x);
                assert_eq!(wide <= t, x <= floor32(t), "{x} <= {t}");
                assert_eq!(wide < t, x < ceil32(t), "{x} < {t}");
                assert_eq!(wide > t, x > floor32(t), "{x} > {t}");
                assert_eq!(wide >= t, x >= ceil32(t), "{x} >= {t}");
            }
        }
    }
}
