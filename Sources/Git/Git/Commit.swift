package import GitModel

/// A commit: its tree, its parents, and the very bytes that its id is the hash of.
package struct Commit: Hashable, Sendable {
  package let id: ObjectID
  package let tree: ObjectID
  package let parents: [ObjectID]
  package let bytes: [UInt8]

  /// Reads the raw bytes of a commit object, as they come in a message or out of a database.
  ///
  /// The headers must stand in git's order (git-hash-object(1), format checks of git-fsck(1)): one
  /// tree, any number of parents, author, committer, then others, none with a NUL byte. What names
  /// and dates say is not looked at.
  package init(bytes: [UInt8]) throws(GitError) {
    var header = CommitHeader(rest: bytes[...])
    tree = try header.id(after: "tree ")
    var parents: [ObjectID] = []
    while header.startsWith("parent ") {
      parents.append(try header.id(after: "parent "))
    }
    try header.line(after: "author ")
    try header.line(after: "committer ")
    try header.finish()
    self.parents = parents
    self.bytes = bytes
    id = try ObjectDatabase.hash(.commit, bytes)
  }

  /// The first line of the message, for people; empty when there is none.
  package var subject: String {
    let newline = UInt8(ascii: "\n")
    var rest = bytes[...]
    while let end = rest.firstIndex(of: newline) {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      if line.isEmpty { break }
    }
    return String(decoding: rest.prefix { $0 != newline }, as: UTF8.self)
  }
}

private struct CommitHeader {
  var rest: ArraySlice<UInt8>

  func startsWith(_ key: String) -> Bool { rest.starts(with: key.utf8) }

  mutating func id(after key: String) throws(GitError) -> ObjectID {
    guard let id = ObjectID(hexBytes: try line(after: key)) else {
      throw .malformedCommit(reason: "has no object name after \"\(key)\"")
    }
    return id
  }

  @discardableResult
  mutating func line(after key: String) throws(GitError) -> ArraySlice<UInt8> {
    guard startsWith(key) else { throw .malformedCommit(reason: "lacks the header \"\(key)\"") }
    return try line().dropFirst(key.utf8.count)
  }

  /// The other headers, up to the empty line; a commit without a message may end without one.
  mutating func finish() throws(GitError) {
    while !rest.isEmpty {
      if try line().isEmpty { return }
    }
  }

  private mutating func line() throws(GitError) -> ArraySlice<UInt8> {
    guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else {
      throw .malformedCommit(reason: "has a header line without an end")
    }
    let line = rest[..<end]
    rest = rest[(end + 1)...]
    if line.contains(0) { throw .malformedCommit(reason: "has a NUL byte in its headers") }
    return line
  }
}
