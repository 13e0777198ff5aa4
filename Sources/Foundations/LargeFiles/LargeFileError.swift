package import GitModel
internal import Glibc

/// Why the content of a large file was not read or stored.
package enum LargeFileError: Error, Equatable, CustomStringConvertible {
  case missing(LargeFilePointer, directory: String)
  /// What lies there is something else than its name says.
  case damaged(LargeFilePointer, path: String)
  /// What came is not what was announced.
  case otherContent(LargeFilePointer)
  case cannot(operation: String, path: String, code: Int32)

  package var description: String {
    switch self {
    case .missing(let pointer, let directory):
      "large file \(pointer.name) (\(pointer.byteCount) bytes) is not in \(directory)"
    case .damaged(let pointer, let path):
      "\(path): is not the large file \(pointer.abbreviated) of \(pointer.byteCount) bytes that its name says"
    case .otherContent(let pointer):
      "what came for the large file \(pointer.abbreviated) has another SHA-256"
    case .cannot(let operation, let path, let code):
      "\(path): cannot \(operation): \(unsafe String(cString: strerror(code)))"
    }
  }

  /// Nothing is wrong with the machine.
  package var isAboutContent: Bool { if case .cannot = self { false } else { true } }
}
