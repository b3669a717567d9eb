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
//! The operations of a few trees, a group, are interleaved, so that none waits for the one just before it.
//! Trees with too many leaves for a code of a byte have no circuit; they are walked.

use crate::array::{Array, stored};
use crate::deal::deal_codes;
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
#[repr(C)]
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
    /// pool, one place after an even one, so that siblings stand in one word; the `no` child of `i` is `2i + 1`, the `yes` child `2i + 2`. Bit `depth - 1` of the
    /// code is the root's.
    Complete { depth: u8, first: u32 },
    /// After the operations of the group the bits of the code stand in `outputs`, lowest first.
    Circuit { bits: u8, outputs: [u32; MAX_BITS] },
}

/// The pools that routes point into.
#[derive(Default)]
pub(crate) struct Routes {
    pub(crate) routes: Vec<Route>,
    pub(crate) heap: Array<u32>,
    pub(crate) ops: Array<Mux>,
    pub(crate) groups: Vec<Group>,
    /// Planes of constants, predicates and temporaries: every index above is below it.
    pub(crate) n_planes: usize,
    /// Where temporaries start.
    n_fixed: usize,
    /// The operations of each tree of the group at hand, and the temporaries they take.
    pending: Vec<Vec<Mux>>,
    n_temporaries: usize,
    /// Groups that belong to a batch.
    n_batched: usize,
    pub(crate) n_operations: usize,
}

stored!([] Mux { select, yes, no, out });

/// Trees whose operations take turns, and whose temporaries the next such trees take over: few, so
/// that those stay in the first cache.
const GROUP: usize = 8;

/// A few trees: their operations, then their routes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) first_op: u32,
    pub(crate) n_ops: u32,
    pub(crate) first_route: u32,
    pub(crate) n_routes: u32,
}

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
        let grouped = self.groups.last().map_or(0, |g| g.first_route + g.n_routes);
        if self.routes.len() - grouped as usize == GROUP {
            self.end_group();
        }
        if tree.n_leaves(0) > MAX_LEAVES {
            return None;
        }
        let depth = tree.depth(0);
        let completes =
            |n_ops: usize| depth <= MAX_DEPTH && complete_cost(depth) <= circuit_cost(n_ops);
        // A tree that asks the same again and again takes fewer: an oblivious one none at all.
        let usual = tree.n_planes() > tree.n_leaves(0) / 2;
        if usual && completes(usual_ops(tree.n_leaves(0))) {
            return Some(self.push_complete(&tree, depth));
        }
        let first_temporary = self.n_fixed + self.n_temporaries;
        let dealt = deal_codes(&tree, self.n_fixed as u32, first_temporary as u32);
        if completes(dealt.ops.len()) {
            return Some(self.push_complete(&tree, depth));
        }
        self.n_operations += dealt.ops.len();
        self.n_temporaries += dealt.n_temporaries;
        self.n_planes = self.n_planes.max(self.n_fixed + self.n_temporaries);
        self.pending.push(dealt.ops);
        self.routes.push(Route::Circuit {
            bits: dealt.bits,
            outputs: dealt.outputs,
        });
        Some(dealt.leaf_of_code)
    }

    /// Ends a batch: gives its groups.
    pub(crate) fn end_batch(&mut self) -> std::ops::Range<usize> {
        self.end_group();
        let first = std::mem::replace(&mut self.n_batched, self.groups.len());
        first..self.groups.len()
    }

    fn end_group(&mut self) {
        let first_route = self.groups.last().map_or(0, |g| g.first_route + g.n_routes);
        let n_routes = self.routes.len() as u32 - first_route;
        if n_routes == 0 {
            return;
        }
        let first_op = self.ops.len();
        let trees = std::mem::take(&mut self.pending);
        for i in 0..trees.iter().map(Vec::len).max().unwrap_or(0) {
            self.ops
                .extend(trees.iter().filter_map(|ops| ops.get(i)).copied());
        }
        self.n_temporaries = 0;
        self.groups.push(Group {
            first_op: first_op as u32,
            n_ops: (self.ops.len() - first_op) as u32,
            first_route,
            n_routes,
        });
    }

    fn push_complete(&mut self, tree: &Sizes<'_>, depth: usize) -> Vec<u32> {
        let mut heap = vec![0; (1 << depth) - 1];
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
        self.n_operations += (1 << depth) - 1 - depth;
        self.heap.push(0);
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
        size_of_val(&self.routes[..])
            + size_of_val(&self.heap[..])
            + size_of_val(&self.ops[..])
            + size_of_val(&self.groups[..])
    }
}

/// Rough cycles a block: an unrolled node is a load and an operation in registers,
fn complete_cost(depth: usize) -> usize {
    2 << depth
}

/// an interpreted operation is three loads, an operation and a store that the next one waits for.
fn circuit_cost(n_ops: usize) -> usize {
    6 * n_ops
}

/// About the fewest operations of a circuit: one a split, but for the planes that are the code.
fn usual_ops(n_leaves: usize) -> usize {
    n_leaves - 1 - n_leaves.ilog2() as usize
}

/// A tree with its planes, and the leaves and levels below each node.
pub(crate) struct Sizes<'a> {
    pub(crate) nodes: &'a [Node],
    pub(crate) planes: Vec<u32>,
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

    pub(crate) fn n_leaves(&self, at: usize) -> usize {
        self.below[at].0 as usize
    }

    /// Distinct planes of its splits.
    fn n_planes(&self) -> usize {
        let splits = self.nodes.iter().zip(&self.planes);
        let mut planes: Vec<u32> = splits
            .filter(|(node, _)| matches!(node, Node::Split { .. }))
            .map(|(_, &plane)| plane)
            .collect();
        planes.sort_unstable();
        planes.dedup();
        planes.len()
    }

    fn depth(&self, at: usize) -> usize {
        self.below[at].1 as usize
    }
}
