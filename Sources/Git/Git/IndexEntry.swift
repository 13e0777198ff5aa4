package import GitModel
import Glibc

/// What the index has at a path.
package enum IndexEntry: Hashable, Sendable {
  case nothing
  case entry(TreeEntry)
  /// A merge left it with several sides.
  case unmerged
}

/// A file's status as the index keeps it, so that git need not read the file to see that it is
/// unchanged.
package struct IndexedStatus: Hashable, Sendable {
  package struct Time: Hashable, Sendable {
    package let seconds: Int
    package let nanoseconds: Int

    package init(seconds: Int, nanoseconds: Int) {
      self.seconds = seconds
      self.nanoseconds = nanoseconds
    }

    /// By the clock that file systems take their times from: that of the last tick.
    package static func now() -> Time {
      var time = timespec()
      unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
      return Time(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }
  }

  package let changed: Time
  package let modified: Time
  package let device: UInt64
  package let inode: UInt64
  package let user: UInt32
  package let group: UInt32
  package let byteCount: Int

  package init(
    changed: Time, modified: Time, device: UInt64, inode: UInt64, user: UInt32, group: UInt32,
    byteCount: Int
  ) {
    self.changed = changed
    self.modified = modified
    self.device = device
    self.inode = inode
    self.user = user
    self.group = group
    self.byteCount = byteCount
  }
}

/// A path that the index is to have, after its file was written; submodules have no status.
package struct IndexUpsert: Hashable, Sendable {
  package let path: TreePath
  package let entry: TreeEntry
  package let status: IndexedStatus?
  /// The file holds what the entry's pointer names, not the entry itself: only the status tells git that it is unchanged.
  package let isLargeFile: Bool

  package init(
    path: TreePath, entry: TreeEntry, status: IndexedStatus?, isLargeFile: Bool = false
  ) {
    self.path = path
    self.entry = entry
    self.status = status
    self.isLargeFile = isLargeFile
  }
}
