//! Dealing codes to leaves: which code each leaf gets, and the operations that compute it.
//!
//! The fewer planes vary on both sides of a split, the fewer operations it takes. See
//! [`circuit`](crate::circuit) for what the operations are.

use std::sync::LazyLock;

use crate::circuit::{MAX_BITS, MAX_LEAVES, Mux, Node, Sizes};

/// The circuit of one tree.
pub(crate) struct Dealt {
    pub(crate) ops: Vec<Mux>,
    /// How many bits the codes have,
    pub(crate) bits: u8,
    /// and where they stand afterwards, lowest first.
    pub(crate) outputs: [u32; MAX_BITS],
    pub(crate) leaf_of_code: Vec<u32>,
    pub(crate) n_temporaries: usize,
}

/// Deals codes to the leaves of `tree`. Planes below `n_fixed` are constants and predicates;
/// temporaries are numbered from `first_temporary` on.
pub(crate) fn deal_codes(tree: &Sizes<'_>, n_fixed: u32, first_temporary: u32) -> Dealt {
    let bits = ceil_log2(tree.n_leaves(0));
    let mut dealer = Dealer::new(tree, bits, n_fixed, first_temporary);
    let everything = vec![Cube {
        base: 0,
        dim: bits as u8,
    }];
    let outputs = dealer.place(0, everything).map(Val::operand);
    Dealt {
        ops: dealer.ops,
        bits: bits as u8,
        outputs,
        leaf_of_code: dealer.leaf_of_code,
        n_temporaries: dealer.uses.len(),
    }
}

/// Aligned codes: `base..base + 2^dim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cube {
    base: u16,
    dim: u8,
}

impl Cube {
    fn size(self) -> usize {
        1 << self.dim
    }

    /// Carves out the lowest or highest `2^dim` codes; the rest stays in `rest`.
    fn carve(mut self, dim: u8, high: bool, rest: &mut Vec<Self>) -> Self {
        while self.dim > dim {
            self.dim -= 1;
            let upper = Self {
                base: self.base + (1 << self.dim),
                dim: self.dim,
            };
            if high {
                rest.push(self);
                self = upper;
            } else {
                rest.push(upper);
            }
        }
        self
    }
}

/// What a plane is below a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Val {
    /// Whatever is cheapest: no leaf below depends on it.
    Any,
    Zero,
    One,
    Plane(u32),
}

impl Val {
    fn operand(self) -> u32 {
        match self {
            Self::Any | Self::Zero => 0,
            Self::One => 1,
            Self::Plane(p) => p,
        }
    }
}

/// Deals codes to leaves and emits the operations.
///
/// A tree is parted in two at any of its nodes, not only at its root: whether a row comes to that
/// node is the conjunction of the tests on the way, and the rest of the tree closes over the gap.
/// So a lopsided tree is halved about as well as an even one, for an operation a level of the way.
/// Recursion is as deep as there are leaves, at most
/// [`MAX_LEAVES`](crate::circuit::MAX_LEAVES).
struct Dealer<'a> {
    nodes: &'a [Node],
    /// The children as they stand, `yes` first.
    children: Vec<[usize; 2]>,
    parent: Vec<usize>,
    n_leaves: Vec<usize>,
    planes: &'a [u32],
    ops: Vec<Mux>,
    bits: usize,
    leaf_of_code: Vec<u32>,
    n_fixed: u32,
    first_temporary: u32,
    free: Vec<u32>,
    /// For each temporary, how often its value is still to be used.
    uses: Vec<u32>,
}

impl<'a> Dealer<'a> {
    fn new(tree: &'a Sizes<'a>, bits: usize, n_fixed: u32, first_temporary: u32) -> Self {
        let mut children = vec![[0; 2]; tree.nodes.len()];
        let mut parent = vec![0; tree.nodes.len()];
        for (at, node) in tree.nodes.iter().enumerate() {
            if let Node::Split { yes, no, .. } = *node {
                children[at] = [yes as usize, no as usize];
                parent[yes as usize] = at;
                parent[no as usize] = at;
            }
        }
        Self {
            nodes: tree.nodes,
            children,
            parent,
            n_leaves: (0..tree.nodes.len()).map(|at| tree.n_leaves(at)).collect(),
            planes: &tree.planes,
            ops: Vec::new(),
            bits,
            leaf_of_code: vec![0; 1 << bits],
            n_fixed,
            first_temporary,
            free: Vec::new(),
            uses: Vec::new(),
        }
    }

    fn place(&mut self, root: usize, cubes: Vec<Cube>) -> [Val; MAX_BITS] {
        if let Node::Leaf(leaf) = self.nodes[root] {
            return self.place_leaf(leaf, cubes);
        }
        let part = self.best_part(root, &cubes);
        let (select, inverted) = self.reaches(part, root);
        let rest = self.remove(part, root);
        let (n_part, n_rest) = (self.n_leaves[part], self.n_leaves[rest]);
        // The side that the selector's 1 leads to comes first.
        let (yes, no) = if inverted { (rest, part) } else { (part, rest) };
        let (for_yes, for_no) = if inverted {
            deal(cubes, n_rest, n_part)
        } else {
            deal(cubes, n_part, n_rest)
        };
        let y = self.place(yes, for_yes);
        let n = self.place(no, for_no);
        let out = std::array::from_fn(|bit| self.mux(select, y[bit], n[bit]));
        // The selector itself may have become a bit of the code, or several.
        let copies = out.iter().filter(|&&v| v == Val::Plane(select)).count();
        self.add_uses(select, copies as u32);
        self.release(select);
        out
    }

    fn place_leaf(&mut self, leaf: u32, cubes: Vec<Cube>) -> [Val; MAX_BITS] {
        for cube in &cubes {
            let base = usize::from(cube.base);
            self.leaf_of_code[base..base + cube.size()].fill(leaf);
        }
        let largest = cubes.into_iter().max_by_key(|c| c.dim);
        std::array::from_fn(|bit| match largest {
            Some(c) if bit >= usize::from(c.dim) && bit < self.bits => {
                if c.base >> bit & 1 == 1 {
                    Val::One
                } else {
                    Val::Zero
                }
            }
            _ => Val::Any,
        })
    }

    /// The node below `root` where parting the tree is expected to take the fewest operations.
    fn best_part(&self, root: usize, cubes: &[Cube]) -> usize {
        let total = self.n_leaves[root];
        let room: usize = cubes.iter().map(|c| c.size()).sum();
        let planes = ceil_log2(room) as f64;
        let expected: &[f64; MAX_LEAVES + 1] = &EXPECTED;
        let mut best = (f64::INFINITY, self.children[root][0]);
        let mut stack = self.children[root].map(|child| (child, 0_u32)).to_vec();
        while let Some((at, way)) = stack.pop() {
            let n = self.n_leaves[at];
            let halves = cubes.len() == 1 && n.max(total - n) <= room / 2;
            let cost = f64::from(way) + planes - f64::from(u8::from(halves))
                + expected[n]
                + expected[total - n];
            if cost < best.0 {
                best = (cost, at);
            }
            if n > 1 {
                stack.extend(self.children[at].map(|child| (child, way + 1)));
            }
        }
        best.1
    }

    /// The plane of the rows that come to `node` from `root`, or (true) of those that do not.
    fn reaches(&mut self, node: usize, root: usize) -> (u32, bool) {
        let above = self.parent[node];
        let mut reached = self.planes[above];
        let mut inverted = self.children[above][0] != node;
        let mut at = above;
        while at != root {
            let above = self.parent[at];
            let (test, yes) = (self.planes[above], self.children[above][0] == at);
            self.release(reached);
            (reached, inverted) = match (inverted, yes) {
                (false, true) => (self.emit(test, Val::Plane(reached), Val::Zero), false),
                (false, false) => (self.emit(test, Val::Zero, Val::Plane(reached)), false),
                (true, true) => (self.emit(reached, Val::Zero, Val::Plane(test)), false),
                // Neither the test nor what came before: the opposite of either.
                (true, false) => (self.emit(test, Val::One, Val::Plane(reached)), true),
            };
            at = above;
        }
        (reached, inverted)
    }

    /// Takes `node` out of the tree at `root`; its sibling takes its parent's place. Gives the
    /// root of what is left.
    fn remove(&mut self, node: usize, root: usize) -> usize {
        let parent = self.parent[node];
        let [yes, no] = self.children[parent];
        let sibling = if yes == node { no } else { yes };
        if parent == root {
            return sibling;
        }
        let above = self.parent[parent];
        let side = usize::from(self.children[above][0] != parent);
        self.children[above][side] = sibling;
        self.parent[sibling] = above;
        let mut at = above;
        loop {
            self.n_leaves[at] -= self.n_leaves[node];
            if at == root {
                return root;
            }
            at = self.parent[at];
        }
    }

    fn mux(&mut self, select: u32, yes: Val, no: Val) -> Val {
        match (yes, no) {
            (Val::Any, v) | (v, Val::Any) => v,
            (Val::One, Val::Zero) => Val::Plane(select),
            _ if yes == no => yes,
            _ => {
                // Freed before the result takes one: an operation may write where it reads.
                for v in [yes, no] {
                    if let Val::Plane(p) = v {
                        self.release(p);
                    }
                }
                Val::Plane(self.emit(select, yes, no))
            }
        }
    }

    fn emit(&mut self, select: u32, yes: Val, no: Val) -> u32 {
        let out = self.free.pop().unwrap_or_else(|| {
            self.uses.push(0);
            self.first_temporary + self.uses.len() as u32 - 1
        });
        self.add_uses(out, 1);
        self.ops.push(Mux {
            select,
            yes: yes.operand(),
            no: no.operand(),
            out,
        });
        out
    }

    fn add_uses(&mut self, plane: u32, n: u32) {
        if plane >= self.n_fixed {
            self.uses[(plane - self.first_temporary) as usize] += n;
        }
    }

    fn release(&mut self, plane: u32) {
        if plane >= self.n_fixed {
            let uses = &mut self.uses[(plane - self.first_temporary) as usize];
            *uses -= 1;
            if *uses == 0 {
                self.free.push(plane);
            }
        }
    }
}

/// Operations that an even tree of so many leaves takes, a little more for not being even.
static EXPECTED: LazyLock<[f64; MAX_LEAVES + 1]> = LazyLock::new(|| {
    std::array::from_fn(|n| {
        // One plane is free a level, the others are multiplexed at every split.
        let dim = ceil_log2(n) as f64;
        let full = f64::exp2(dim) - 1.0 - dim;
        let share = n as f64 / f64::exp2(dim);
        1.3 * full * share
    })
});

fn ceil_log2(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

/// Divides the codes between the two sides of a split, each at least as many as its leaves.
fn deal(cubes: Vec<Cube>, n_yes: usize, n_no: usize) -> (Vec<Cube>, Vec<Cube>) {
    if let [cube] = cubes[..]
        && cube.dim > 0
        && n_yes.max(n_no) <= cube.size() / 2
    {
        let mut rest = Vec::new();
        let upper = cube.carve(cube.dim - 1, true, &mut rest);
        return (vec![upper], rest);
    }
    let yes_is_small = n_yes < n_no;
    let (small, large) = (n_yes.min(n_no), n_yes.max(n_no));
    let (few, many) = deal_uneven(cubes, small, large, yes_is_small);
    if yes_is_small {
        (few, many)
    } else {
        (many, few)
    }
}

fn deal_uneven(
    mut cubes: Vec<Cube>,
    small: usize,
    large: usize,
    high: bool,
) -> (Vec<Cube>, Vec<Cube>) {
    cubes.sort_by_key(|c| c.dim);
    let total: usize = cubes.iter().map(|c| c.size()).sum();
    // One cube for the small side, whole or carved from the tightest that holds it.
    let dim = ceil_log2(small) as u8;
    if let Some(i) = cubes.iter().position(|c| c.dim >= dim) {
        if total - cubes[i].size() >= large {
            let cube = cubes.remove(i);
            return (vec![cube], cubes);
        }
        if total - (1 << dim) >= large {
            let cube = cubes.remove(i).carve(dim, high, &mut cubes);
            return (vec![cube], cubes);
        }
    }
    // Else pieces, exactly as many codes as it has leaves.
    let (mut few, mut many) = (Vec::new(), Vec::new());
    let mut want = small;
    for mut cube in cubes {
        if want == 0 {
            many.push(cube);
        } else if cube.size() <= want {
            want -= cube.size();
            few.push(cube);
        } else {
            // Halve the cube down the bits of `want`.
            while want > 0 {
                let mut rest = Vec::new();
                let part = cube.carve(cube.dim - 1, high, &mut rest);
                let other = rest[0];
                if part.size() <= want {
                    want -= part.size();
                    few.push(part);
                    cube = other;
                } else {
                    many.push(other);
                    cube = part;
                }
            }
            many.push(cube);
        }
    }
    (few, many)
}
