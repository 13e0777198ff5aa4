import Glibc

/// What was read from a key or passphrase file, secret until shown to be otherwise.
struct KeyFileContent: ~Copyable {
  /// Ours have less than 1 KiB; nothing larger is read into locked memory.
  static let byteCountMax = 4_096

  enum Links {
    case links
    case noLinks
  }

  let path: String
  let bytes: SecretBytes
  private let mode: UInt32

  /// Everything that is checked is checked on the open descriptor, so that the file can't be
  /// exchanged in between.
  init(reading path: String, following links: Links) throws(SodiumError) {
    let descriptor = try Self.open(path, links)
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system(call: "fstat", subject: path, code: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegularFile(path) }
    let bytes = try SecretBytes(capacity: Self.byteCountMax + 1) { output throws(SodiumError) in
      try Self.read(descriptor, path, into: &output)
    }
    guard bytes.byteCount <= Self.byteCountMax else {
      throw .tooLarge(path, byteCountMax: Self.byteCountMax)
    }
    self.path = path
    self.bytes = bytes
    mode = status.st_mode & 0o7777
  }

  /// Throws `openToOthers` if group or others have any right to the file.
  func requirePrivate() throws(SodiumError) {
    guard mode & (S_IRWXG | S_IRWXO) == 0 else { throw .openToOthers(path, mode: mode) }
  }

  private static func open(_ path: String, _ links: Links) throws(SodiumError) -> Int32 {
    // O_NONBLOCK: a FIFO is to be refused, not waited for.
    var flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
    if links == .noLinks { flags |= O_NOFOLLOW }
    let descriptor = unsafe Glibc.open(path, flags)
    if descriptor >= 0 { return descriptor }
    switch errno {
    case ENOENT, ENOTDIR: throw .notThere(path)
    case ELOOP, ENXIO: throw .notRegularFile(path)
    case let code: throw .system(call: "open", subject: path, code: code)
    }
  }

  /// Until the end of the file, or until there is no room.
  private static func read(
    _ descriptor: Int32, _ path: String, into output: inout OutputSpan<UInt8>
  ) throws(SodiumError) {
    while !output.isFull {
      let code: Int32? = unsafe output.withUnsafeMutableBufferPointer { buffer, count in
        guard let base = buffer.baseAddress else { return EFAULT }
        let result = unsafe Glibc.read(descriptor, base + count, buffer.count - count)
        guard result > 0 else { return result == 0 ? 0 : errno }
        count += result
        return nil
      }
      switch code {
      case nil, EINTR: continue
      case 0: return
      case .some(let code): throw .system(call: "read", subject: path, code: code)
      }
    }
  }
}
