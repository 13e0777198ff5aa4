import Glibc

/// Notices that branches of a repository may have moved, without reading one: git puts a new file in the place of the old
/// one, which changes the time of its directory, or of `packed-refs`. Costs one stat(2) for each directory of branches.
package struct ReferenceWatch {
  private struct Stamp: Equatable {
    let inode: ino_t
    let seconds: Int
    let nanoseconds: Int
    let byteCount: Int

    /// `nil`: nothing is there.
    init?(_ path: String, isDirectory: Bool) {
      var status = stat()
      guard unsafe lstat(path, &status) == 0,
        !isDirectory || status.st_mode & S_IFMT == S_IFDIR
      else { return nil }
      (inode, byteCount) = (status.st_ino, Int(status.st_size))
      (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
    }
  }

  private static let directoryCountMax = 100_000

  private let directory: String
  private var packed: Stamp?
  private var directories: [String: Stamp] = [:]
  /// A second change within the tick of a file's time cannot be told from the first one: after a change, the next look is
  /// one at the branches as well.
  private var looksAgain = true

  /// `commonDirectory`: of a repository, ends in a slash.
  package init(_ commonDirectory: String) { directory = commonDirectory }

  /// Whether branches may have moved since the last call; the first one says so.
  package mutating func mayHaveMoved() throws(GitError) -> Bool {
    let packedNow = Stamp(directory + "packed-refs", isDirectory: false)
    let isSame =
      packedNow == packed && !directories.isEmpty
      && directories.allSatisfy { Stamp($0.key, isDirectory: true) == $0.value }
    if isSame {
      defer { looksAgain = false }
      return looksAgain
    }
    packed = packedNow
    directories = [:]
    try scan(directory + "refs/heads")
    looksAgain = true
    return true
  }

  /// The time is taken before the directory is listed: what comes meanwhile changes it again.
  private mutating func scan(_ path: String) throws(GitError) {
    guard let stamp = Stamp(path, isDirectory: true) else { return }
    guard directories.count < Self.directoryCountMax else { return }
    directories[path] = stamp
    guard let stream = unsafe opendir(path) else {
      if errno == ENOENT || errno == ENOTDIR { return }
      throw SystemFile.failure("open", path)
    }
    defer { unsafe closedir(stream) }
    while let entry = unsafe readdir(stream) {
      let kind = unsafe entry.pointee.d_type
      guard kind == UInt8(DT_DIR) || kind == UInt8(DT_UNKNOWN) else { continue }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
        unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != "." && name != ".." { try scan(path + "/" + name) }
    }
  }
}
