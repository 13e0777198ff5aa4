package import GitModel

/// A commit: its tree, its parents, and the very bytes that its id is the hash of.
package struct Commit: Hashable, Sendable {
  package let id: ObjectID
  package let tree: ObjectID
  package let parents: [ObjectID]
  package let bytes: [UInt8]

  /// Reads the raw bytes of a commit object, as they come in a message or out of a database.
  ///
  /// As git does (commit.c, `parse_commit_buffer`), only the tree and the parents are read, which must come
  /// first. All else is bytes with a hash: authors, dates, encodings and signatures of any form.
  package init(bytes: [UInt8]) throws(GitError) {
    try self.init(bytes: bytes, id: ObjectDatabase.hash(.commit, bytes))
  }

  /// `id`: known to be the hash of the bytes.
  init(bytes: [UInt8], id: ObjectID) throws(GitError) {
    var header = CommitHeader(rest: bytes[...])
    guard let tree = try header.id(after: "tree "), !header.rest.isEmpty else {
      throw .malformedCommit(reason: "does not begin with the id of a tree")
    }
    var parents: [ObjectID] = []
    while let parent = try header.id(after: "parent ") { parents.append(parent) }
    self.tree = tree
    self.parents = parents
    self.bytes = bytes
    self.id = id
  }

  /// When it was committed, in seconds since 1970, as far as that can be read: for looking at the newest first, and
  /// for no decision.
  package var committedAt: UInt64 {
    let newline = UInt8(ascii: "\n")
    var rest = bytes[...]
    while let end = rest.firstIndex(of: newline), end > rest.startIndex {
      let line = rest[..<end]
      rest = rest[(end + 1)...]
      guard line.starts(with: "committer ".utf8) else { continue }
      guard let mail = line.lastIndex(of: UInt8(ascii: ">")) else { return 0 }
      let space = UInt8(ascii: " ")
      let digits = line[(mail + 1)...].drop { $0 == space }.prefix { $0 != space }
      return UInt64(String(decoding: digits, as: UTF8.self)) ?? 0
    }
    return 0
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

  /// The id that the next line holds; `nil` where the line is another one.
  mutating func id(after key: String) throws(GitError) -> ObjectID? {
    guard rest.starts(with: key.utf8) else { return nil }
    let digits = rest.dropFirst(key.utf8.count).prefix(2 * ObjectID.byteCount)
    let end = digits.endIndex
    // git reads digits in either case.
    guard let id = ObjectID(hexBytes: digits.map(Self.lowercased)), end < rest.endIndex,
      rest[end] == UInt8(ascii: "\n")
    else {
      throw .malformedCommit(reason: "has no id after \"\(key.dropLast())\"")
    }
    rest = rest[(end + 1)...]
    return id
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte) ? byte | 0x20 : byte
  }
}
