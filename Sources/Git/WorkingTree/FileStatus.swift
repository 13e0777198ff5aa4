package import GitModel
internal import Glibc

/// What lstat(2) says of a file or link: the fields that git's index keeps, and what follows from
/// them.
///
/// Source: gitformat-index(5), "Index entry".
package struct FileStatus: Hashable, Sendable {
  package struct Time: Hashable, Sendable {
    package let seconds: Int64
    package let nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32) {
      self.seconds = seconds
      self.nanoseconds = nanoseconds
    }
  }

  package let changed: Time
  package let modified: Time
  package let device: UInt64
  package let inode: UInt64
  /// Type and permissions, as the file system has them.
  package let mode: UInt32
  package let user: UInt32
  package let group: UInt32
  package let size: Int64
  /// More than one: the file has other names, perhaps outside.
  package let linkCount: UInt64

  /// What git looks at: may its owner execute it?
  package var isExecutable: Bool { mode & S_IXUSR != 0 }

  /// What git would call it; `nil` for what git can't track.
  package var fileMode: FileMode? {
    switch mode & S_IFMT {
    case S_IFREG: isExecutable ? .executable : .regular
    case S_IFLNK: .symbolicLink
    default: nil
    }
  }

  var isRegular: Bool { mode & S_IFMT == S_IFREG }
  var isLink: Bool { mode & S_IFMT == S_IFLNK }
  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

  init(_ status: stat) {
    changed = Time(status.st_ctim)
    modified = Time(status.st_mtim)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    mode = status.st_mode
    user = status.st_uid
    group = status.st_gid
    size = Int64(status.st_size)
    linkCount = UInt64(status.st_nlink)
  }
}

extension FileStatus.Time {
  fileprivate init(_ time: timespec) {
    seconds = Int64(time.tv_sec)
    nanoseconds = UInt32(time.tv_nsec)
  }
}

/// What is at a path of a working tree, links not followed.
package enum Found: Equatable, Sendable {
  /// Not even a parent directory, perhaps.
  case nothing
  case file(FileStatus)
  case symbolicLink(FileStatus)
  /// Empty as git sees it: it holds no file at any depth.
  case directory(isEmpty: Bool)
  /// A FIFO, a socket or a device.
  case other
  /// A parent directory is none: a link, a file or something else is at this path.
  case blockedByParent(TreePath)
}
