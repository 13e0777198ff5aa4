import Git
import GitModel
import MessageFormat
import Patching
import WorkingTree

/// Messages of one stream that have been checked and are to be applied in one step: what each says of the checkout is
/// true of the state that the ones before it leave behind.
final class Batch {
  /// One step stays small enough to be repeated, and to be held in memory.
  static let messageCountMax = 1_024
  static let byteCountMax = 16 << 20

  let checkout: Checkout
  private(set) var current: Snapshot?
  /// The repository and the objects that the checked patches bring; a check that fails takes its own out again.
  var overlay: ObjectOverlay
  /// What is to happen to the working tree, from the first revision to the last, by path.
  private(set) var changes: [TreePath: TreeChange] = [:]
  /// What was seen at these paths before the first change of each.
  private(set) var expected: [TreePath: ExpectedContent] = [:]
  private(set) var patches: [CheckedPatch] = []
  /// What is written in the place of pointers.
  private(set) var contents: [TreePath: LargeFilePointer] = [:]
  /// Of the only patch, which is then a step of its own.
  private(set) var submodules: SubmoduleChanges?
  /// How much the checkout holds at `current`.
  private(set) var totals: TreeTotals
  private let sizes: CheckoutSizes

  init(_ checkout: Checkout, sizes: CheckoutSizes) throws(GitError) {
    self.checkout = checkout
    self.sizes = sizes
    current = checkout.head
    totals = try sizes.totals(of: checkout.head?.tree, in: checkout)
    overlay = ObjectOverlay(over: checkout.repository.objects)
  }

  /// A pack is a step of its own: its objects are on the disk, not in the overlay.
  var isFull: Bool {
    patches.count >= Self.messageCountMax || submodules != nil
      || overlay.byteCount >= Self.byteCountMax
      || patches.contains { if case .packed = $0.objects { true } else { false } }
  }

  func add(_ patch: CheckedPatch) {
    patches.append(patch)
    submodules = patch.submodules
    current = patch.message.after
    totals = patch.totals
    sizes.note(totals, of: patch.message.after.tree, in: checkout)
    for change in patch.changes {
      merge(change)
      contents[change.path] = patch.largeFiles.contents[change.path]
    }
    expected.merge(patch.expected) { first, _ in first }
  }

  /// Whether a content comes with one of the patches.
  func hasIncoming(_ pointer: LargeFilePointer) -> Bool {
    patches.contains { $0.largeFiles.incoming?.pointers.contains(pointer) ?? false }
  }

  /// Two changes of one path are one from the first's old side to the second's new side, or none.
  private func merge(_ change: TreeChange) {
    guard let earlier = changes[change.path], !earlier.isRewriting else {
      changes[change.path] = change
      return
    }
    changes[change.path] =
      earlier.old == change.new
      ? nil : TreeChange(path: change.path, old: earlier.old, new: change.new)
  }

  // MARK: - What is stored before anything is visible

  /// What was computed, with the commits of what came packed, and the packs that came.
  func objects() throws -> (computed: ObjectOverlay, packs: [QuarantinedPack]) {
    var computed = overlay
    var packs: [QuarantinedPack] = []
    for patch in patches {
      guard case .packed(let pack) = patch.objects else { continue }
      packs.append(pack)
      if !patch.message.commit.isEmpty { try computed.add(.commit, patch.message.commit) }
    }
    return (computed, packs)
  }

  func publishLargeFiles() throws {
    for patch in patches { try patch.largeFiles.incoming?.publish() }
    if !contents.isEmpty, let command = checkout.settings.largeFileFilter {
      try checkout.repository.setFilter("lfs", command: command)
    }
  }
}
