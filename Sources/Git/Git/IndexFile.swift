import Glibc

/// The index as git has it on the disk, and the copy that libgit2 reads and writes: our own file, so that
/// git's can be replaced while its lock is held.
struct IndexFile {
  private static let checksumByteCount = 20

  let path: String
  let copyPath: String

  /// Brings the copy to what the file holds now; no file, no copy.
  func copy() throws(GitError) -> FileStamp {
    let (bytes, stamp) = try content()
    try SystemFile.remove(copyPath)
    if let bytes { try SystemFile.create(copyPath, bytes, isSynced: false) }
    return stamp
  }

  /// `index.skipHash` of git-config(1): a file without a checksum is whole all the same. The copy gets one.
  func addChecksum() throws(GitError) -> Bool {
    guard let bytes = try content().bytes, !Self.hasChecksum(bytes) else { return false }
    let content = bytes.dropLast(Self.checksumByteCount)
    try SystemFile.remove(copyPath)
    try SystemFile.create(copyPath, content + Self.checksum(content), isSynced: false)
    return true
  }

  /// False: `index.skipHash`.
  func hasChecksum() throws(GitError) -> Bool { Self.hasChecksum(try content().bytes ?? []) }

  private static func hasChecksum(_ bytes: [UInt8]) -> Bool {
    bytes.count <= checksumByteCount || bytes.suffix(checksumByteCount).contains { $0 != 0 }
  }

  /// Whether the file is as git wrote it, though we may not be able to read it.
  func isSound() throws(GitError) -> Bool {
    guard let bytes = try content().bytes, bytes.count > Self.checksumByteCount else {
      return false
    }
    return Array(bytes.suffix(Self.checksumByteCount))
      == Self.checksum(bytes.dropLast(Self.checksumByteCount))
  }

  private func content() throws(GitError) -> (bytes: [UInt8]?, stamp: FileStamp) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return (nil, .missing) }
      throw SystemFile.failure("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw SystemFile.failure("fstat", path) }
    return (try SystemFile.readToEnd(of: descriptor, path), FileStamp(status))
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var hash = SHA1()
    hash.update(bytes.span)
    return hash.finish()
  }
}

/// By what it is seen that another program wrote a file.
struct FileStamp: Equatable {
  static let missing = FileStamp(stat())

  let modified: Time
  private let changed: Time
  private let inode: UInt
  private let byteCount: Int

  struct Time: Equatable {
    let seconds: Int
    let nanoseconds: Int
  }

  init(_ status: stat) {
    modified = Time(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    changed = Time(seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec)
    inode = UInt(status.st_ino)
    byteCount = Int(status.st_size)
  }

  /// A file that is not there has a stamp too.
  init(_ path: String) throws(GitError) {
    var status = stat()
    if unsafe stat(path, &status) != 0 {
      guard errno == ENOENT else { throw SystemFile.failure("stat", path) }
      status = stat()
    }
    self.init(status)
  }
}
