import Glibc

/// New files, durable when `create` returns, never in place of an old one.
enum KeyFileWriter {
  /// Throws `alreadyThere` for whatever has that name, a dangling link too. Leaves no file when it
  /// throws otherwise.
  static func create(
    _ path: String, mode: mode_t, content: Span<UInt8>
  ) throws(SodiumError) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let descriptor = unsafe open(path, flags, mode)
    guard descriptor >= 0 else {
      switch errno {
      case EEXIST: throw .alreadyThere(path)
      case ENOENT, ENOTDIR: throw .notThere(directory(of: path))
      case let code: throw .system(call: "open", subject: path, code: code)
      }
    }
    do throws(SodiumError) {
      try write(content, to: descriptor, path)
      try synchronise(directory: directory(of: path))
    } catch {
      remove(path)
      throw error
    }
  }

  /// Takes back what `create` has made.
  static func remove(_ path: String) {
    _ = unsafe unlink(path)
  }

  /// Closes the descriptor in any case.
  private static func write(
    _ content: Span<UInt8>, to descriptor: Int32, _ path: String
  ) throws(SodiumError) {
    var failure = writeAll(content, to: descriptor)
    if failure == nil, fsync(descriptor) != 0 { failure = ("fsync", errno) }
    if close(descriptor) != 0, failure == nil { failure = ("close", errno) }
    if let (call, code) = failure { throw .system(call: call, subject: path, code: code) }
  }

  private static func writeAll(
    _ content: Span<UInt8>, to descriptor: Int32
  ) -> (call: String, code: Int32)? {
    unsafe content.withUnsafeBytes { content in
      var rest = unsafe content[...]
      while unsafe !rest.isEmpty {
        let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
        let count = unsafe Glibc.write(descriptor, part.baseAddress, part.count)
        if count < 0 && errno != EINTR { return ("write", errno) }
        unsafe rest = rest.dropFirst(max(0, count))
      }
      return nil
    }
  }

  /// Without this, the name may be gone after a power failure.
  private static func synchronise(directory path: String) throws(SodiumError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(call: "open", subject: path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else {
      throw .system(call: "fsync", subject: path, code: errno)
    }
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
