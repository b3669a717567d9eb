//! Features made of products of features.

use fretsaw_model::Step;

use super::attributes::Attributes;
use super::columns::Columns;
use super::transformer::Transformed;
use crate::Error;

/// Factors in all products together; each costs a number here and in the file that is written.
const MAX_FACTORS: usize = 1 << 20;

/// `PolynomialFeatures`: 1, then the products of one column, of two, and so on, each in
/// lexicographic order.
pub(super) fn polynomial(at: Attributes<'_, '_>, columns: Columns) -> Transformed {
    let (least, most) = degrees(at)?;
    let n = columns.width();
    let once = at.flag("interaction_only");
    let bias = at.flag("include_bias");
    let mut products: Vec<Vec<u32>> = Vec::new();
    if bias {
        products.push(Vec::new());
    }
    let mut n_factors = 0;
    let mut places = Vec::new();
    for degree in least.max(1)..=most {
        if once && degree > n {
            break;
        }
        let mut next = first(degree, n, once);
        while let Some(combination) = next {
            n_factors += degree;
            if n_factors > MAX_FACTORS {
                return Err(at.unsupported(
                    &format!("of {n} columns and degree {most}"),
                    format!("products of up to {MAX_FACTORS} factors in all are taken"),
                ));
            }
            places.clear();
            places.extend(combination.iter().map(|&c| c as u32));
            // A product of the later columns is multiplied by the earlier one; not so where the
            // library holds the rows as a sparse matrix.
            if !columns.sparse {
                places.reverse();
            }
            products.push(places.clone());
            next = following(combination, n, once);
        }
    }
    let width = products.len();
    Ok((vec![Step::Products(products)], Columns::computed(width)))
}

/// The least and the greatest degree. Since 1.0 `degree` may be a pair; before, it is the greatest.
fn degrees(at: Attributes<'_, '_>) -> Result<(usize, usize), Error> {
    let limits = match at.number("degree") {
        Ok(most) => vec![0.0, most],
        Err(_) => at.floats("degree")?,
    };
    let sound = |d: &f64| d.trunc() == *d && (0.0..=MAX_FACTORS as f64).contains(d);
    match &limits[..] {
        &[least, most] if limits.iter().all(sound) && least <= most => {
            Ok((least as usize, most as usize))
        }
        _ => Err(Error::invalid(
            "`degree` is neither a number nor a pair in order",
        )),
    }
}

/// The first choice of so many columns of `n`, in ascending order.
fn first(degree: usize, n: usize, once: bool) -> Option<Vec<usize>> {
    (n > 0).then(|| match once {
        true => (0..degree).collect(),
        false => vec![0; degree],
    })
}

/// The next choice in lexicographic order.
fn following(mut choice: Vec<usize>, n: usize, once: bool) -> Option<Vec<usize>> {
    let degree = choice.len();
    let last = |i: usize| match once {
        true => n - degree + i,
        false => n - 1,
    };
    let at = (0..degree).rev().find(|&i| choice[i] < last(i))?;
    let from = choice[at] + 1;
    for (ahead, slot) in choice[at..].iter_mut().enumerate() {
        *slot = from + if once { ahead } else { 0 };
    }
    Some(choice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(degree: usize, n: usize, once: bool) -> Vec<Vec<usize>> {
        let mut out = Vec::new();
        let mut next = first(degree, n, once);
        while let Some(choice) = next {
            out.push(choice.clone());
            next = following(choice, n, once);
        }
        out
    }

    #[test]
    fn choices_are_in_lexicographic_order() {
        assert_eq!(
            all(2, 3, false),
            [[0, 0], [0, 1], [0, 2], [1, 1], [1, 2], [2, 2]]
        );
        assert_eq!(all(2, 3, true), [[0, 1], [0, 2], [1, 2]]);
        assert_eq!(all(3, 3, true), [[0, 1, 2]]);
        assert_eq!(all(3, 2, false).len(), 4);
        assert!(all(1, 0, false).is_empty());
    }
}
