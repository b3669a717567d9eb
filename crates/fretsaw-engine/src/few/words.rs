//! Lopsided trees as words: all tests of a tree of up to 64 nodes are asked at once, and the way
//! to the leaf is found by bit scans.
//!
//! At each node the side with fewer leaves is the *far* one. Nodes are numbered such that the near
//! child follows directly: nodes then form chains of near turns, each ending at a node both of
//! whose sides are leaves. From any node, the next one where the row turns far, or where its chain
//! ends, is the lowest bit set from there on. A way has at most log2(leaves) far turns to nodes
//! (each at least halves the leaves that are left), so a fixed and small number of scans comes to
//! the last node, with no branch to guess.

use crate::array::stored;
use crate::circuit::Node;
use crate::few::bytes::Ranker;
use crate::few::tables::{Questions, SLOTS};

/// Nodes of a word.
pub(crate) const MAX_NODES: usize = 64;

/// How answers become the way to a leaf, for eight trees. Node `i` is bit `63 - i` of a word.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Turns {
    /// For each tree and node, where a far turn leads: how many bits there are from that node on.
    /// The node itself, where it leads to a leaf. What is over is for the node after the last.
    pub(crate) far: [u8; MAX_NODES * SLOTS + 8],
    /// Nodes whose test, where it does not hold, leads near.
    pub(crate) flip: [u64; SLOTS],
    /// The last nodes of chains.
    pub(crate) ends: [u64; SLOTS],
    /// Where the tree's leaves start, and how many ends there are, and one: see [`slot`].
    pub(crate) leaf: [u32; SLOTS],
    /// Far turns to nodes, at most.
    pub(crate) n_turns: u64,
}

stored!([] Turns { far, flip, ends, leaf, n_turns });

impl Turns {
    pub(crate) const NONE: Self = Self {
        far: [0; MAX_NODES * SLOTS + 8],
        flip: [0; SLOTS],
        ends: [0; SLOTS],
        leaf: [0; SLOTS],
        n_turns: 0,
    };

    /// Puts a tree at its place among the eight.
    pub(crate) fn put(&mut self, i: usize, word: &Word, first_leaf: u32) {
        self.far[MAX_NODES * i..][..MAX_NODES].copy_from_slice(&word.far);
        self.flip[i] = word.flip;
        self.ends[i] = word.ends;
        self.leaf[i] = first_leaf + word.ends.count_ones() + 1;
        self.n_turns = self.n_turns.max(word.n_turns as u64);
    }
}

/// A tree as a word.
pub(crate) struct Word {
    pub(crate) questions: Questions,
    far: [u8; MAX_NODES],
    flip: u64,
    ends: u64,
    /// The leaf at each slot; some slots are never reached. See [`slot`].
    pub(crate) leaves: Vec<u32>,
    /// Far turns to nodes, at most.
    n_turns: usize,
}

/// The slot of the leaf beyond `node` on the side that the row takes there, less all ends of the
/// tree and one; `ends` are those from the node on. Every node has a slot, the last of a chain two.
#[inline(always)]
pub(crate) fn slot(node: u32, ends: u64, far: u64) -> u32 {
    let far = far.wrapping_shl(node) >> 63;
    node.wrapping_sub(ends.count_ones())
        .wrapping_sub(far as u32)
}

impl Word {
    /// The word of a tree of 1 to [`MAX_NODES`] splits.
    pub(crate) fn of(nodes: &[Node], ranker: &Ranker) -> Option<Self> {
        let n_leaves = n_leaves(nodes);
        let mut word = Self {
            questions: Questions::NONE,
            far: [0; MAX_NODES],
            flip: 0,
            ends: 0,
            leaves: Vec::new(),
            n_turns: 0,
        };
        // Near and far leaves of each node.
        let mut beyond: Vec<[Option<u32>; 2]> = Vec::new();
        // The start of a chain, the node that turns to it, and how many turns it takes.
        let mut chains = vec![(0_usize, None, 0_usize)];
        while let Some((mut at, from, n_turns)) = chains.pop() {
            if let Some(from) = from {
                word.far[from] = bits_from(beyond.len());
            }
            word.n_turns = word.n_turns.max(n_turns);
            while let Node::Split { predicate, yes, no } = nodes[at] {
                let place = beyond.len();
                let (column, cut) = ranker.question(&predicate)?;
                let bit = (MAX_NODES - 1).checked_sub(place)?;
                word.questions.columns[bit] = column;
                word.questions.cuts[bit] = cut;
                let (near, far) = if n_leaves[no as usize] > n_leaves[yes as usize] {
                    word.flip |= 1 << bit;
                    (no as usize, yes as usize)
                } else {
                    (yes as usize, no as usize)
                };
                let mut leaves = [None; 2];
                match nodes[far] {
                    Node::Leaf(leaf) => {
                        word.far[place] = bits_from(place);
                        leaves[1] = Some(leaf);
                    }
                    Node::Split { .. } => chains.push((far, Some(place), n_turns + 1)),
                }
                if let Node::Leaf(leaf) = nodes[near] {
                    word.ends |= 1 << bit;
                    leaves[0] = Some(leaf);
                }
                beyond.push(leaves);
                at = near;
            }
        }
        if beyond.is_empty() {
            return None;
        }
        let n_ends = word.ends.count_ones();
        word.leaves = vec![0; beyond.len() + n_ends as usize];
        for (node, leaves) in beyond.iter().enumerate() {
            let ends = word.ends & (u64::MAX >> node);
            for (leaf, far) in leaves.iter().zip([0, u64::MAX]) {
                if let Some(leaf) = leaf {
                    let slot = (n_ends + 1).wrapping_add(slot(node as u32, ends, far));
                    word.leaves[slot as usize] = *leaf;
                }
            }
        }
        Some(word)
    }
}

/// Bits of a word from the node on.
fn bits_from(node: usize) -> u8 {
    (MAX_NODES - node) as u8
}

/// The leaves below each node.
fn n_leaves(nodes: &[Node]) -> Vec<u32> {
    let mut order = vec![0_u32];
    let mut next = 0;
    while let Some(&at) = order.get(next) {
        if let Node::Split { yes, no, .. } = nodes[at as usize] {
            order.extend([yes, no]);
        }
        next += 1;
    }
    let mut below = vec![1; nodes.len()];
    for &at in order.iter().rev() {
        if let Node::Split { yes, no, .. } = nodes[at as usize] {
            below[at as usize] = below[yes as usize] + below[no as usize];
        }
    }
    below
}
