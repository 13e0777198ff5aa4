import CLinux
import Glibc

/// A private file (0600) that is appended to, synced, and read at offsets; closed when released.
///
/// A new one has no name until it is given one: if its process ends, or it is released, nothing of it is left behind.
///
/// Read and written by system calls, never mapped: what is in it never counts as our memory. Belongs to one thread.
package final class SpoolFile {
  package let path: String
  package private(set) var size: UInt64
  private let descriptor: Int32
  private var isLocked = false

  private init(path: String, descriptor: Int32, size: UInt64) {
    (self.path, self.descriptor, self.size) = (path, descriptor, size)
  }

  // Unlocked by itself, as a `DirectoryLock` is.
  deinit {
    if isLocked { flock(descriptor, LOCK_UN) }
    close(descriptor)
  }

  /// A file without a name in `directory`, gone with the last descriptor (open(2), O_TMPFILE).
  package static func temporary(in directory: String) throws(SpoolError) -> SpoolFile {
    let descriptor = unsafe Glibc.open(
      directory, O_RDWR | __O_TMPFILE | O_DIRECTORY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw .cannot(operation: "create a temporary file", path: directory, code: errno)
    }
    return SpoolFile(path: directory + "/(temporary)", descriptor: descriptor, size: 0)
  }

  package static func open(_ path: String) throws(SpoolError) -> SpoolFile {
    try open(path, O_RDONLY)
  }

  /// For going on with what an earlier run has begun; `nil`: it is not there. `truncate` comes before `append`.
  package static func reopen(_ path: String) throws(SpoolError) -> SpoolFile? {
    do {
      return try open(path, O_RDWR)
    } catch .cannot(_, _, ENOENT) {
      return nil
    }
  }

  private static func open(_ path: String, _ access: Int32) throws(SpoolError) -> SpoolFile {
    let descriptor = unsafe Glibc.open(path, access | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw .cannot(operation: "open", path: path, code: errno) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .cannot(operation: "examine", path: path, code: code)
    }
    return SpoolFile(path: path, descriptor: descriptor, size: UInt64(status.st_size))
  }

  /// Takes it for us alone; `false`: somebody else has it. The kernel takes it back when the process ends, however it ends.
  package func lock() throws(SpoolError) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { isLocked = true }
    guard isLocked || errno == EWOULDBLOCK else {
      throw .cannot(operation: "lock", path: path, code: errno)
    }
    return isLocked
  }

  /// Gives a temporary file a name, or another one; one that is taken is an error (linkat(2), EEXIST).
  ///
  /// Durable after `sync` of the file and then of the directory.
  package func link(as name: String, in directory: SpoolDirectory) throws(SpoolError) {
    let target = directory.path(of: name)
    let source = "/proc/self/fd/\(descriptor)"
    guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 else {
      throw .cannot(operation: "create", path: target, code: errno)
    }
  }

  /// All of the bytes, or an error; after an error the file may end with a part of them.
  package func append(_ bytes: Span<UInt8>) throws(SpoolError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(written..<bytes.count)
      let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannot(operation: "write", path: path, code: errno)
      }
      written += count
      size += UInt64(count)
    }
  }

  package func append(_ bytes: [UInt8]) throws(SpoolError) {
    try append(bytes.span)
  }

  /// Exactly `count` bytes from `offset`; a file that ends before is an error.
  package func read(at offset: UInt64, count: Int) throws(SpoolError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let step = unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + filled }, count - filled,
          off_t(offset) + off_t(filled))
        if step < 0 && errno == EINTR { continue }
        if step < 0 { failure = errno }
        if step <= 0 { break }
        filled += step
      }
    }
    if failure != 0 { throw .cannot(operation: "read", path: path, code: failure) }
    guard bytes.count == count else {
      throw .endsEarly(path: path, offset: offset + UInt64(bytes.count))
    }
    return bytes
  }

  /// Begins to bring to the disk what came behind `offset`, and does not wait for it (sync_file_range(2)): so much less is
  /// left for `sync`, without which nothing is durable.
  package func beginSync(from offset: UInt64) throws(SpoolError) {
    let count = Int64(size - offset)
    guard
      sync_file_range(descriptor, Int64(offset), count, UInt32(SYNC_FILE_RANGE_WRITE)) == 0
    else { throw .cannot(operation: "sync", path: path, code: errno) }
  }

  /// On the disk, not only in its cache (fdatasync(2)).
  package func sync() throws(SpoolError) {
    guard fdatasync(descriptor) == 0 else {
      throw .cannot(operation: "sync", path: path, code: errno)
    }
  }

  /// Back to `newSize` bytes, behind which the next ones are appended.
  package func truncate(to newSize: UInt64) throws(SpoolError) {
    guard ftruncate(descriptor, off_t(newSize)) == 0,
      lseek(descriptor, off_t(newSize), SEEK_SET) >= 0
    else { throw .cannot(operation: "truncate", path: path, code: errno) }
    size = newSize
  }
}
