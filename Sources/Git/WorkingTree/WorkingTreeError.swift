package import GitModel
internal import Glibc

/// Why files below a directory were not read or replaced.
package enum WorkingTreeError: Error, Equatable, CustomStringConvertible {
  /// What the machine did not let us do; the path is quoted for people.
  case cannot(operation: String, path: String, code: Int32)
  /// Another program was at a path since the last look; everything was put back.
  case touched(TreePath, Touch)
  // The next four are found before the first change.

  /// Something that is neither a directory nor a link, and is not to be removed, where a
  /// directory must be.
  case fileInTheWay(TreePath)
  /// A directory where a file must be, and in it content that is not to be removed: its path is
  /// the second.
  case directoryInTheWay(TreePath, content: [UInt8])
  /// A path that is to be written twice, or as a file and as a directory.
  case contradiction(TreePath)
  /// A directory on another file system than the staging directory: nothing can be renamed into it.
  case otherFileSystem(directory: String)
  /// A staging directory of another user.
  case foreignStaging(directory: String)
  /// Content that no symbolic link can have: empty, too long, or with a NUL byte in it.
  case impossibleLinkTarget(byteCount: Int)
  /// Neither a regular file nor a symbolic link, or one no longer.
  case notAFile(TreePath)
  /// More content than the caller takes.
  case tooLarge(TreePath, byteCountMax: Int)

  /// The disk or the quota is full: nothing was lost, and the same step works once there is room.
  package var isFullDisk: Bool {
    if case .cannot(_, _, let code) = self { code == ENOSPC || code == EDQUOT } else { false }
  }

  package var description: String {
    switch self {
    case .cannot(let operation, let path, let code):
      "\(path): cannot \(operation): \(unsafe String(cString: strerror(code)))"
    case .touched(let path, let touch): "\(path): \(touch) while the step was made"
    case .fileInTheWay(let path): "\(path): a file is in the way of a directory"
    case .directoryInTheWay(let path, let content):
      "\(path): a directory is in the way of a file, and holds \(TreePath.quoted(content))"
    case .contradiction(let path): "\(path): is to be written twice"
    case .otherFileSystem(let directory):
      "\(directory): is on another file system than the staging directory"
    case .foreignStaging(let directory): "\(directory): belongs to another user"
    case .impossibleLinkTarget(let byteCount):
      "symbolic link: a target of \(byteCount) bytes is empty, too long or has a NUL byte"
    case .notAFile(let path): "\(path): is no file"
    case .tooLarge(let path, let byteCountMax):
      "\(path): holds more than \(byteCountMax) bytes"
    }
  }
}
