import Glibc

/// What a name in a folder stands for (fstatat(2), without following links).
package struct FileStatus: Equatable, Sendable {
  package let size: UInt64
  package let isFile: Bool
  package let isFolder: Bool
  /// The later of content and entry, in seconds: a copy may have its original's time of content.
  package let changedAt: Int
  /// Moves whenever something in a folder does, as finely as the file system counts.
  package let stamp: [Int]

  init(_ status: stat) {
    size = UInt64(clamping: status.st_size)
    isFile = status.st_mode & S_IFMT == S_IFREG
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    changedAt = max(status.st_mtim.tv_sec, status.st_ctim.tv_sec)
    stamp = [
      Int(truncatingIfNeeded: status.st_ino), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
      status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
    ]
  }
}
