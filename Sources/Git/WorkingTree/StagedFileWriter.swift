internal import Glibc

/// A staged file that is being filled; dropped unfinished, its file stays until the directory is
/// swept.
package struct StagedFileWriter: ~Copyable {
  let file: StagedFile
  let directory: String
  let descriptor: Descriptor

  /// All of the bytes, or an error.
  package mutating func append(_ bytes: Span<UInt8>) throws(WorkingTreeError) {
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(written..<bytes.count)
      let count = unsafe rest.withUnsafeBytes {
        unsafe write(descriptor.number, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .cannot(operation: "write", path: directory, code: errno) }
      written += count
    }
  }

  /// The same.
  package mutating func append(_ bytes: [UInt8]) throws(WorkingTreeError) {
    try append(bytes.span)
  }
}
