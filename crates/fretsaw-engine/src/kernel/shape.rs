//! The unrolled shapes: all planes of a complete tree of 1 to 6 levels, kept in registers.
//!
//! `node!(depth, place, load, mux)` expands to the planes below that node of the heap, highest
//! level first: its own predicate, then each lower plane of its two sides multiplexed by it.

macro_rules! node {
    (1, $i:expr, $load:ident, $mux:ident) => {
        [$load($i)]
    };
    (2, $i:expr, $load:ident, $mux:ident) => {{
        let s = $load($i);
        let n = $crate::kernel::shape::node!(1, 2 * $i + 1, $load, $mux);
        let y = $crate::kernel::shape::node!(1, 2 * $i + 2, $load, $mux);
        [s, $mux(s, y[0], n[0])]
    }};
    (3, $i:expr, $load:ident, $mux:ident) => {{
        let s = $load($i);
        let n = $crate::kernel::shape::node!(2, 2 * $i + 1, $load, $mux);
        let y = $crate::kernel::shape::node!(2, 2 * $i + 2, $load, $mux);
        [s, $mux(s, y[0], n[0]), $mux(s, y[1], n[1])]
    }};
    (4, $i:expr, $load:ident, $mux:ident) => {{
        let s = $load($i);
        let n = $crate::kernel::shape::node!(3, 2 * $i + 1, $load, $mux);
        let y = $crate::kernel::shape::node!(3, 2 * $i + 2, $load, $mux);
        [
            s,
            $mux(s, y[0], n[0]),
            $mux(s, y[1], n[1]),
            $mux(s, y[2], n[2]),
        ]
    }};
    (5, $i:expr, $load:ident, $mux:ident) => {{
        let s = $load($i);
        let n = $crate::kernel::shape::node!(4, 2 * $i + 1, $load, $mux);
        let y = $crate::kernel::shape::node!(4, 2 * $i + 2, $load, $mux);
        [
            s,
            $mux(s, y[0], n[0]),
            $mux(s, y[1], n[1]),
            $mux(s, y[2], n[2]),
            $mux(s, y[3], n[3]),
        ]
    }};
    (6, $i:expr, $load:ident, $mux:ident) => {{
        let s = $load($i);
        let n = $crate::kernel::shape::node!(5, 2 * $i + 1, $load, $mux);
        let y = $crate::kernel::shape::node!(5, 2 * $i + 2, $load, $mux);
        [
            s,
            $mux(s, y[0], n[0]),
            $mux(s, y[1], n[1]),
            $mux(s, y[2], n[2]),
            $mux(s, y[3], n[3]),
            $mux(s, y[4], n[4]),
        ]
    }};
}

pub(crate) use node;
