//! Routes: a tree as a circuit of multiplexers over predicate planes.
//!
//! Each leaf gets a code (one, or several where there is room) and each bit of the code is a plane
//! computed for all rows of a block. At a split a plane needs an operation only where the two
//! sides can differ, so codes are dealt out such that few planes vary below each node:
//!
//! - a tree of up to [`MAX_DEPTH`] levels takes one plane a level: at its own level a split *is*
//!   the plane, with no operation at all, and the levels below a leaf are free to be anything.
//!   This fixed shape is unrolled in the kernels, missing nodes padded;
//! - any other tree is parted in two again and again, at its root or at whatever node below it
//!   costs fewest operations, and the two parts get subcubes of the codes: halves where they fit.
//!
//! The operations of a few trees are interleaved, so that none waits for the one just before it.
//! Trees with too many leaves for a code of a byte have no circuit; they are walked.

use crate::predicate::Predicate;

/// Levels of the largest unrolled shape.
pub(crate) const MAX_DEPTH: usize = 6;
/// Codes of a byte: the leaves that a circuit can tell apart.
pub(crate) const MAX_LEAVES: usize = 256;
/// Bits of a code.
pub(crate) const MAX_BITS: usize = 8;

/// A node of a canonical tree; node 0 is the root.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    Leaf(u32),
    Split {
        predicate: Predicate,
        yes: u32,
        no: u32,
    },
}

/// One operation: `planes[out] = select ? yes : no`, bit by bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mux {
    pub(crate) select: u32,
    pub(crate) yes: u32,
    pub(crate) no: u32,
    pub(crate) out: u32,
}

/// How the codes of one tree are computed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route {
    /// An unrolled shape: the planes of its `2^depth - 1` splits start at `first` of the heap
    /// pool; the `no` child of `i` is `2i + 1`, the `yes` child `2i + 2`. Bit `depth - 1` of the
    /// code is the root's.
    Complete { depth: u8, first: u32 },
    /// After the operations of the batch the bits of the code stand in `outputs`, lowest first.
    Circuit { bits: u8, outputs: [u32; MAX_BITS] },
}

/// The pools that routes point into.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) routes: Vec<Route>,
    pub(crate) heap: Vec<u32>,
    pub(crate) ops: Vec<Mux>,
    /// Planes of constants, predicates and temporaries: every index above is below it.
    pub(crate) n_planes: usize,
    /// Where temporaries start.
    n_fixed: usize,
    /// The operations of each tree of the batch at hand, and the temporaries they take.
    pending: Vec<Vec<Mux>>,
    n_temporaries: usize,
    n_operations: usize,
}

/// Trees whose operations take turns.
const INTERLEAVED: usize = 4;

impl Routes {
    /// Routes over `n_fixed` planes of constants and predicates.
    pub(crate) fn new(n_fixed: usize) -> Self {
        Self {
            n_planes: n_fixed,
            n_fixed,
            ..Self::default()
        }
    }

    /// Adds a tree of at most [`MAX_LEAVES`] leaves, all of whose predicates have planes, and
    /// gives the leaf of each code.
    pub(crate) fn push(
        &mut self,
        nodes: &[Node],
        plane_of: &dyn Fn(&Predicate) -> Option<u32>,
    ) -> Option<Vec<u32>> {
        let tree = Sizes::new(nodes, plane_of)?;
        if tree.n_leaves(0) > MAX_LEAVES {
            return None;
        }
        let first_temporary = self.n_fixed + self.n_temporaries;
        let bits = ceil_log2(tree.n_leaves(0));
        let mut dealer = Dealer::new(&tree, bits, self.n_fixed as u32, first_temporary as u32);
        let everything = vec![Cube {
            base: 0,
            dim: bits as u8,
        }];
        let outputs = dealer.place(0, everything).map(Val::operand);
        let depth = tree.depth(0);
        if depth <= MAX_DEPTH && complete_cost(depth) <= circuit_cost(dealer.ops.len()) {
            self.n_operations += (1 << depth) - 1 - depth;
            return Some(self.push_complete(&tree, depth));
        }
        self.n_operations += dealer.ops.len();
        self.n_temporaries += dealer.uses.len();
        self.n_planes = self.n_planes.max(self.n_fixed + self.n_temporaries);
        self.pending.push(dealer.ops);
        self.routes.push(Route::Circuit {
            bits: bits as u8,
            outputs,
        });
        Some(dealer.leaf_of_code)
    }

    /// Ends a batch: gives the operations to run before its routes.
    pub(crate) fn end_batch(&mut self) -> std::ops::Range<u32> {
        let first = self.ops.len();
        self.n_temporaries = 0;
        for trees in std::mem::take(&mut self.pending).chunks(INTERLEAVED) {
            let longest = trees.iter().map(Vec::len).max().unwrap_or(0);
            for i in 0..longest {
                self.ops.extend(trees.iter().filter_map(|ops| ops.get(i)));
            }
        }
        first as u32..self.ops.len() as u32
    }

    fn push_complete(&mut self, tree: &Sizes<'_>, depth: usize) -> Vec<u32> {
        let n = (1 << depth) - 1;
        let mut heap = vec![0; n];
        let mut leaf_of_code = vec![0; 1 << depth];
        let mut stack = vec![(0_usize, 0_usize, 0_usize)];
        while let Some((at, place, level)) = stack.pop() {
            match tree.nodes[at] {
                Node::Leaf(leaf) => {
                    // All places below this one, as codes.
                    let below = 1 << (depth - level);
                    let code = (place + 1) * below - (1 << depth);
                    leaf_of_code[code..code + below].fill(leaf);
                }
                Node::Split { yes, no, .. } => {
                    heap[place] = tree.planes[at];
                    stack.push((no as usize, 2 * place + 1, level + 1));
                    stack.push((yes as usize, 2 * place + 2, level + 1));
                }
            }
        }
        self.routes.push(Route::Complete {
            depth: depth as u8,
            first: self.heap.len() as u32,
        });
        self.heap.extend(heap);
        leaf_of_code
    }

    /// Logic operations that a block takes.
    pub(crate) fn n_operations(&self) -> usize {
        self.n_operations
    }

    pub(crate) fn memory(&self) -> usize {
        size_of_val(&self.routes[..]) + size_of_val(&self.heap[..]) + size_of_val(&self.ops[..])
    }
}

/// Rough cycles a block: an unrolled node is a load and an operation in registers,
fn complete_cost(depth: usize) -> usize {
    2 << depth
}

/// an interpreted operation is three loads, an operation and a store that the next one waits for.
pub(crate) fn circuit_cost(n_ops: usize) -> usize {
    6 * n_ops
}

/// A tree with its planes, and the leaves and levels below each node.
struct Sizes<'a> {
    nodes: &'a [Node],
    planes: Vec<u32>,
    below: Vec<(u32, u32)>,
}

impl<'a> Sizes<'a> {
    fn new(nodes: &'a [Node], plane_of: &dyn Fn(&Predicate) -> Option<u32>) -> Option<Self> {
        let mut planes = vec![0; nodes.len()];
        let mut order = Vec::with_capacity(nodes.len());
        let mut stack = vec![0_u32];
        while let Some(at) = stack.pop() {
            order.push(at);
            if let Node::Split { predicate, yes, no } = &nodes[at as usize] {
                planes[at as usize] = plane_of(predicate)?;
                stack.extend([*yes, *no]);
            }
        }
        let mut below = vec![(1, 0); nodes.len()];
        for &at in order.iter().rev() {
            if let Node::Split { yes, no, .. } = nodes[at as usize] {
                let ((a, d), (b, e)) = (below[yes as usize], below[no as usize]);
                below[at as usize] = (a + b, d.max(e) + 1);
            }
        }
        Some(Self {
            nodes,
            planes,
            below,
        })
    }

    fn n_leaves(&self, at: usize) -> usize {
        self.below[at].0 as usize
    }

    fn depth(&self, at: usize) -> usize {
        self.below[at].1 as usize
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
/// Recursion is as deep as there are leaves, at most [`MAX_LEAVES`].
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
            n_leaves: tree.below.iter().map(|b| b.0 as usize).collect(),
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
        let mut best = (f64::INFINITY, self.children[root][0]);
        let mut stack = self.children[root].map(|child| (child, 0_u32)).to_vec();
        while let Some((at, way)) = stack.pop() {
            let n = self.n_leaves[at];
            let halves = cubes.len() == 1 && n.max(total - n) <= room / 2;
            let cost = f64::from(way) + planes - f64::from(u8::from(halves))
                + expected(n)
                + expected(total - n);
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

/// Operations that an even tree of `n` leaves takes, a little more for not being even.
fn expected(n: usize) -> f64 {
    // One plane is free a level, the others are multiplexed at every split.
    let dim = ceil_log2(n) as f64;
    let full = f64::exp2(dim) - 1.0 - dim;
    let share = n as f64 / f64::exp2(dim);
    1.3 * full * share
}

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
