import Git
import GitModel
import MessageFormat

/// How much each checkout holds, counted once in a process and then kept by what each step changes.
final class CheckoutSizes {
  private var known: [String: (tree: ObjectID, totals: TreeTotals)] = [:]

  /// Of the whole tree of the checkout.
  func totals(of tree: ObjectID?, in checkout: Checkout) throws(GitError) -> TreeTotals {
    guard let tree else { return TreeTotals() }
    if let known = known[checkout.settings.path], known.tree == tree { return known.totals }
    let totals = try checkout.repository.objects.totals(of: tree, limits: .counted)
    known[checkout.settings.path] = (tree, totals)
    return totals
  }

  func note(_ totals: TreeTotals, of tree: ObjectID, in checkout: Checkout) {
    known[checkout.settings.path] = (tree, totals)
  }
}

extension TreeTotals {
  /// What a checkout of these comes to by a difference.
  func changed(by difference: TreeDifference) -> TreeTotals {
    var totals = self
    totals.pathCount += difference.new.pathCount - difference.old.pathCount
    totals.pathByteCount += difference.new.pathByteCount - difference.old.pathByteCount
    totals.byteCount += difference.new.byteCount - difference.old.byteCount
    totals.directoryCount += difference.new.directoryCount - difference.old.directoryCount
    return totals
  }
}

// How much a checkout may hold.
extension Check {
  /// What is over a limit already may become smaller.
  func requireSize(_ difference: TreeDifference) throws -> TreeTotals {
    let before = batch.totals
    let after = before.changed(by: difference)
    let limits = batch.checkout.settings.limits
    do throws(TreeExcess) {
      try after.require(
        TreeLimits(
          pathCountMax: max(limits.pathCountMax, before.pathCount, before.directoryCount),
          pathByteCountMax: max(limits.pathByteCountMax, before.pathByteCount),
          byteCountMax: max(limits.byteCountMax, before.byteCount)))
    } catch {
      throw Refused(.overLimit, "the checkout would have \(error); 'limits:' of the checkout")
    }
    return after
  }

  /// The same sums for paths that are known one by one.
  func difference(of changes: [TreeChange]) throws(GitError) -> TreeDifference {
    var difference = TreeDifference()
    for change in changes {
      let pathByteCount = change.path.bytes.count
      if let old = change.old {
        difference.old.add(pathByteCount: pathByteCount, byteCount: try byteCount(of: old))
      }
      if let new = change.new {
        difference.new.add(pathByteCount: pathByteCount, byteCount: try byteCount(of: new))
      }
    }
    return difference
  }

  private func byteCount(of entry: TreeEntry) throws(GitError) -> Int {
    entry.mode == .submodule ? 0 : try batch.overlay.header(entry.id).byteCount
  }
}
