//! Lopsided trees as words: all tests of a tree of up to 64 nodes are asked at once, and the way
//! to the leaf is found by bit scans.
//!
//! At each node the side with fewer leaves is the *far* one. Nodes are numbered such that the near
//! child follows directly: nodes then form chains of near turns, each ending at a node both of
//! whose sides are leaves. From any node, the next one where the row turns far, or where its chain
//! ends, is the lowest bit set from there on. A way has at most log2(leaves) far turns to nodes
//! (each at least halves the leaves that are left), so a fixed and small number of scans comes to
//! the last node, with no branch to guess.
//!
//! What was tried beside it: masks of leaves that each failed test rules out take eight times the
//! memory; one line of eight nodes after the other (see `tables`) waits for each line in turn.

use crate::circuit::Node;
use crate::few::bytes::Ranker;
use crate::few::tables::Questions;

/// Nodes of a word.
pub(crate) const MAX_NODES: usize = 64;

/// How answers become the way to a leaf.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Turns {
    /// Where a far turn at each node leads; to the node itself, where to a leaf.
    pub(crate) far: [u8; MAX_NODES],
}

/// What is wanted of the answers of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Masks {
    /// Nodes whose test, where it does not hold, leads near.
    pub(crate) flip: u64,
    /// The last nodes of chains.
    pub(crate) ends: u64,
    /// The tree's first leaf.
    pub(crate) first_leaf: u32,
}

/// A tree as a word.
pub(crate) struct Word {
    pub(crate) questions: Questions,
    pub(crate) turns: Turns,
    pub(crate) flip: u64,
    pub(crate) ends: u64,
    /// The leaf at each slot; some slots are never reached. See [`slot`].
    pub(crate) leaves: Vec<u32>,
    /// Far turns to nodes, at most.
    pub(crate) n_turns: usize,
}

/// The slot of the leaf beyond `node`, for the side that the row takes there.
#[inline(always)]
pub(crate) fn slot(node: u32, ends: u64, far: u64) -> u32 {
    // Every node has a slot, the last of a chain two, the far leaf's first.
    let before = (ends & !(u64::MAX << node)).count_ones();
    node + before + 1 - (far >> node & 1) as u32
}

impl Word {
    /// The word of a tree of 1 to [`MAX_NODES`] splits.
    pub(crate) fn of(nodes: &[Node], ranker: &Ranker) -> Option<Self> {
        let n_leaves = n_leaves(nodes);
        let mut word = Self {
            questions: Questions::NONE,
            turns: Turns {
                far: [0; MAX_NODES],
            },
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
                word.turns.far[from] = beyond.len() as u8;
            }
            word.n_turns = word.n_turns.max(n_turns);
            while let Node::Split { predicate, yes, no } = nodes[at] {
                let place = beyond.len();
                let (column, cut) = ranker.question(&predicate)?;
                *word.questions.columns.get_mut(place)? = column;
                word.questions.cuts[place] = cut;
                let (near, far) = if n_leaves[no as usize] > n_leaves[yes as usize] {
                    word.flip |= 1 << place;
                    (no as usize, yes as usize)
                } else {
                    (yes as usize, no as usize)
                };
                let mut leaves = [None; 2];
                match nodes[far] {
                    Node::Leaf(leaf) => {
                        word.turns.far[place] = place as u8;
                        leaves[1] = Some(leaf);
                    }
                    Node::Split { .. } => chains.push((far, Some(place), n_turns + 1)),
                }
                if let Node::Leaf(leaf) = nodes[near] {
                    word.ends |= 1 << place;
                    leaves[0] = Some(leaf);
                }
                beyond.push(leaves);
                at = near;
            }
        }
        if beyond.is_empty() {
            return None;
        }
        word.leaves = vec![0; beyond.len() + word.ends.count_ones() as usize + 1];
        for (place, leaves) in beyond.iter().enumerate() {
            for (side, leaf) in leaves.iter().enumerate() {
                if let Some(leaf) = leaf {
                    let far = (side as u64) << place;
                    word.leaves[slot(place as u32, word.ends, far) as usize] = *leaf;
                }
            }
        }
        Some(word)
    }
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
