/// The name under which both sides know a repository: what its `origin` is, or any other text that both agree on.
///
/// Bytes are compared, as git does: to Swift's text, an accent and the letter before it are one character.
/// Source: docs/message-format.md, "Message", `remote`.
package struct RemoteName: Sendable, CustomStringConvertible {
  package let text: String

  /// At least one byte and at most `Limits.remoteByteCountMax`, without control characters.
  package init(_ text: String) throws(FormatError) {
    try self.init(text, field: "remote")
  }

  init(_ text: String, of structure: String) throws(FormatError) {
    try self.init(text, field: "\(structure).remote")
  }

  private init(_ text: String, field: String) throws(FormatError) {
    try requireLimit(text.utf8.count, Limits.remoteByteCountMax, field: field)
    try requirePrintable(text, field: field)
    guard !text.isEmpty else { throw .invalid(field: field) }
    self.text = text
  }

  package var description: String { text }
}

extension RemoteName: Hashable {
  package static func == (left: RemoteName, right: RemoteName) -> Bool {
    left.text.utf8.elementsEqual(right.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    for byte in text.utf8 { hasher.combine(byte) }
  }
}

extension RemoteName: Comparable {
  package static func < (left: RemoteName, right: RemoteName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }
}

/// A branch of a remote: what a signer numbers messages by, and what a checkout follows.
package struct StreamName: Hashable, Sendable, CustomStringConvertible {
  package let remote: RemoteName
  package let branch: BranchName

  package init(remote: RemoteName, branch: BranchName) {
    self.remote = remote
    self.branch = branch
  }

  init(remote: String, ref: String, of structure: String) throws(FormatError) {
    self.remote = try RemoteName(remote, of: structure)
    try requireLimit(ref.utf8.count, Limits.refByteCountMax, field: "\(structure).ref")
    guard let branch = BranchName(fullName: ref) else { throw .invalid(field: "\(structure).ref") }
    self.branch = branch
  }

  /// Of both names together.
  package var byteCount: Int { remote.text.utf8.count + branch.fullName.utf8.count }

  /// For logs and people: `git@example.org:shop.git main`.
  package var description: String { "\(remote) \(branch)" }
}

/// In the order of the remotes' bytes, then of the branches' full names.
extension StreamName: Comparable {
  package static func < (left: StreamName, right: StreamName) -> Bool {
    guard left.remote == right.remote else { return left.remote < right.remote }
    return left.branch.fullName.utf8.lexicographicallyPrecedes(right.branch.fullName.utf8)
  }
}
