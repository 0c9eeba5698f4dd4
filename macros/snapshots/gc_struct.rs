//! Fields of several kinds, some of which may change; a group.

/// A node of a tree.
#[derive(GcStruct)]
#[gc(open, group = (Node, Children))]
pub struct Node {
    /// What it is called.
    pub label: Rooted<ExternRef<String>>,
    #[gc(mut)]
    depth: u8,
    #[gc(mut, packed)]
    hidden: bool,
    #[gc(mut)]
    children: Option<ChildrenRef>,
}
