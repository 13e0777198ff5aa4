import GitModel

/// Two directories side by side, in git's order: each name for which they differ.
struct TreeMerge {
  /// Both items are directories, or neither is.
  struct Place {
    let old: Tree.Item?
    let new: Tree.Item?
    var isDirectory: Bool { (new ?? old)?.isDirectory == true }
  }

  let old: Tree
  let new: Tree
  private var oldIndex = 0
  private var newIndex = 0

  init(_ old: Tree, _ new: Tree) {
    self.old = old
    self.new = new
  }

  mutating func next() -> Place? {
    while oldIndex < old.items.count || newIndex < new.items.count {
      let order: Int
      if oldIndex == old.items.count {
        order = 1
      } else if newIndex == new.items.count {
        order = -1
      } else {
        order = Tree.order(old.bytes, old.items[oldIndex], new.bytes, new.items[newIndex])
      }
      let oldItem = order <= 0 ? old.items[oldIndex] : nil
      let newItem = order >= 0 ? new.items[newIndex] : nil
      if oldItem != nil { oldIndex += 1 }
      if newItem != nil { newIndex += 1 }
      if let oldItem, let newItem, oldItem.mode == newItem.mode,
        Tree.isSameID(old.bytes, oldItem, new.bytes, newItem)
      {
        continue
      }
      return Place(old: oldItem, new: newItem)
    }
    return nil
  }

  func name(of place: Place) -> ArraySlice<UInt8> {
    place.new.map(new.name) ?? place.old.map(old.name) ?? []
  }

  func oldID(of place: Place) -> ObjectID? { place.old.map(old.id) }
  func newID(of place: Place) -> ObjectID? { place.new.map(new.id) }
  func oldEntry(of place: Place) -> TreeEntry? { place.old.flatMap(old.entry) }
  func newEntry(of place: Place) -> TreeEntry? { place.new.flatMap(new.entry) }
}
