import Glibc

/// A file in a `Folder`: a new one that is appended to, or one that is read at offsets. Belongs to one thread; closed when released.
package final class FolderFile {
  package let path: String
  /// When it was opened, and what was appended since.
  package private(set) var size: UInt64
  private let descriptor: Int32
  private let gate: FolderStep.Gate

  init(_ descriptor: Int32, _ path: String, size: UInt64, _ gate: @escaping FolderStep.Gate) {
    (self.descriptor, self.path, self.size, self.gate) = (descriptor, path, size, gate)
  }

  deinit { close(descriptor) }

  /// All of the bytes, or an error; after an error the file may end with a part of them.
  package func append(_ bytes: [UInt8]) throws(FolderError) {
    try gate(.write)
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(
          descriptor, $0.baseAddress.map { unsafe $0 + written }, $0.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannot(operation: "write", path: path, code: errno)
      }
      written += count
      size += UInt64(count)
    }
  }

  /// Fewer bytes only where the file ends.
  package func read(at offset: UInt64, countMax: Int) throws(FolderError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: countMax) { buffer, filled in
      while filled < countMax {
        let step = unsafe pread(
          descriptor, buffer.baseAddress.map { unsafe $0 + filled }, countMax - filled,
          off_t(offset) + off_t(filled))
        if step < 0 && errno == EINTR { continue }
        if step < 0 { failure = errno }
        if step <= 0 { break }
        filled += step
      }
    }
    if failure != 0 { throw .cannot(operation: "read", path: path, code: failure) }
    return bytes
  }

  /// On the disk, not only in its cache (fsync(2)).
  package func sync() throws(FolderError) {
    try gate(.sync)
    guard fsync(descriptor) == 0 else {
      throw .cannot(operation: "sync", path: path, code: errno)
    }
  }
}
