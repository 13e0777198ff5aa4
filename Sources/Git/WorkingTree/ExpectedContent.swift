/// What has to be at a path at the moment in which it is replaced or removed.
package enum ExpectedContent: Equatable, Sendable {
  /// Whatever it is: the configuration gives it up.
  case anything
  /// Nothing, or a directory without a file at any depth.
  case nothing
  /// The file or link that was looked at. `isSettled`: so long before that a later write has
  /// another time; otherwise the content is compared once more.
  case unchanged(FileStatus, isSettled: Bool)
}

/// What another program did at a path between the last look and the replacing.
package enum Touch: String, Equatable, Sendable {
  case appeared = "appeared"
  case disappeared = "disappeared"
  case changed = "was changed"
  /// A program has the file open for writing, and may go on writing to it.
  case isBeingWritten = "is open for writing"
}

extension Touch: CustomStringConvertible {
  package var description: String { rawValue }
}

extension FileStatus {
  /// Whether the file is as it was, but for its change time, which a rename sets.
  func isSameContent(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode && mode == other.mode && user == other.user
      && group == other.group && size == other.size && modified == other.modified
  }
}
