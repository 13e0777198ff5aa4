package import Diagnostics
import Glibc

/// A file that holds a secret as text: a token, a password, the key of a deployment. Read each time that it is needed, so
/// that a new secret needs no restart.
package struct SecretFile: Sendable, Hashable {
  private static let byteCountMax = 64 << 10

  package let path: String

  package init(_ path: String) { self.path = path }

  /// Throws where there is no file, or group or others may read it.
  package func requirePrivate() throws(SecretFileError) {
    close(try open())
  }

  /// Without the line feed; throws where the line is empty, or holds control characters.
  package func firstLine() throws(SecretFileError) -> String {
    let descriptor = try open()
    defer { close(descriptor) }
    var count = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.byteCountMax) { buffer, filled in
      count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
      filled = max(count, 0)
    }
    guard count >= 0 else { throw .unreadable(path, code: errno) }
    var line = bytes.prefix { $0 != UInt8(ascii: "\n") }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !line.isEmpty else { throw .invalid(path, reason: "its first line is empty") }
    guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw .invalid(path, reason: "its first line holds control characters")
    }
    return String(decoding: line, as: UTF8.self)
  }

  private func open() throws(SecretFileError) -> Int32 {
    let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT ? .missing(path) : .unreadable(path, code: errno)
    }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .invalid(path, reason: "is no file")
    }
    guard status.st_mode & 0o077 == 0 else {
      close(descriptor)
      throw .open(path, mode: status.st_mode & 0o777)
    }
    return descriptor
  }
}

package enum SecretFileError: Error, Equatable, Sendable {
  case missing(String)
  case unreadable(String, code: Int32)
  /// Group or others may read it, or more.
  case open(String, mode: UInt32)
  case invalid(String, reason: String)
}

extension SecretFileError: OperatorError {
  package var description: String {
    switch self {
    case .missing(let path): "\(path): there is no such file"
    case .unreadable(let path, let code):
      "\(path): cannot be read: \(unsafe String(cString: strerror(code)))"
    case .open(let path, let mode):
      "\(path): is open to group or others (mode 0\(String(mode, radix: 8)))"
    case .invalid(let path, let reason): "\(path): \(reason)"
    }
  }

  package var code: ErrorCode {
    switch self {
    case .missing, .unreadable: .keyMissing
    case .open: .keyRights
    case .invalid: .keyInvalid
    }
  }

  package var hint: String? {
    switch self {
    case .missing: "write the secret to it, with mode 0600, for the user of the service"
    case .unreadable(let path, _): "give it to the user of the service: chown USER \(path)"
    case .open(let path, _): "chmod 600 \(path)"
    case .invalid: "write the secret to its first line, and nothing else"
    }
  }
}
