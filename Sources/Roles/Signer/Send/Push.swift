package import GitModel
package import MessageFormat

/// A ref that moved, as git tells a `post-receive` hook: "old new ref".
///
/// Source: githooks(5), "post-receive".
package struct Push: Hashable, Sendable {
  /// Zeros: the ref was created.
  package let before: ObjectID
  /// Zeros: the ref was deleted.
  package let after: ObjectID
  /// As git wrote it; any ref, not only a branch.
  package let ref: String

  package init(before: ObjectID, after: ObjectID, ref: String) {
    self.before = before
    self.after = after
    self.ref = ref
  }

  var isOfBranch: Bool { ref.hasPrefix(BranchName.prefix) }

  /// `nil` for anything but two ids of 40 digits and a ref, with one space between each.
  package init?(hookLine line: String) {
    let fields = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, let before = ObjectID(hex: fields[0]),
      let after = ObjectID(hex: fields[1]), !fields[2].isEmpty
    else { return nil }
    self.init(before: before, after: after, ref: String(fields[2]))
  }
}

/// A branch to be brought from one revision to another: what the first stage takes.
package struct BranchUpdate: Hashable, Sendable {
  package let stream: StreamName
  /// `nil`: from nothing, as a snapshot.
  package let before: ObjectID?
  package let after: ObjectID

  package init(stream: StreamName, before: ObjectID?, after: ObjectID) {
    self.stream = stream
    self.before = before
    self.after = after
  }
}
