internal import GitModel

/// The names of a path, ready for system calls that are relative to the parent's descriptor.
struct EntryNames {
  private let bytes: [UInt8]  // every slash is a NUL, and one more NUL stands at the end
  private let starts: [Int]

  init(_ path: TreePath) {
    self.init(path.bytes)
  }

  /// `path` may be empty: then there are no names, and the path is the directory itself.
  init(_ path: [UInt8]) {
    var bytes = path
    var starts = path.isEmpty ? [] : [0]
    for index in bytes.indices where bytes[index] == UInt8(ascii: "/") {
      bytes[index] = 0
      starts.append(index + 1)
    }
    bytes.append(0)
    (self.bytes, self.starts) = (bytes, starts)
  }

  var count: Int { starts.count }

  subscript(index: Int) -> EntryName {
    let end = index + 1 < starts.count ? starts[index + 1] - 1 : bytes.count - 1
    return EntryName(bytes: bytes, start: starts[index], end: end)
  }

  /// The last one; a path that names something has at least one.
  var last: EntryName { self[count - 1] }
}

/// One name of a path, and what comes before it, for messages.
struct EntryName {
  fileprivate let bytes: [UInt8]
  fileprivate let start: Int
  fileprivate let end: Int

  /// From the top directory to this name, with slashes.
  var path: [UInt8] {
    bytes[..<end].map { $0 == 0 ? UInt8(ascii: "/") : $0 }
  }

  /// The path of the directory that the name is in; empty for the top directory.
  var parentPath: [UInt8] {
    bytes[..<max(start - 1, 0)].map { $0 == 0 ? UInt8(ascii: "/") : $0 }
  }

  var treePath: TreePath {
    do {
      return try TreePath(path)
    } catch {
      preconditionFailure("a safe path begins with safe paths: \(error)")
    }
  }

  /// A name in the directory that this one names.
  func entry(_ name: [UInt8]) -> EntryName {
    let prefix = bytes[..<end] + [0]
    return EntryName(
      bytes: prefix + name + [0], start: prefix.count, end: prefix.count + name.count)
  }

  /// Only for a name of our own choice, in the staging directory.
  init(staged name: String) {
    (bytes, start, end) = (Array(name.utf8) + [0], 0, name.utf8.count)
  }

  fileprivate init(bytes: [UInt8], start: Int, end: Int) {
    (self.bytes, self.start, self.end) = (bytes, start, end)
  }

  /// The name alone, as C takes it.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    unsafe bytes.withUnsafeBytes { buffer in
      let characters = unsafe buffer.bindMemory(to: CChar.self)
      guard let base = characters.baseAddress else { preconditionFailure("there is a NUL") }
      return unsafe body(base + start)
    }
  }
}

extension WorkingTreeError {
  static func cannot(_ operation: String, _ entry: EntryName, _ code: Int32) -> WorkingTreeError {
    .cannot(operation: operation, path: TreePath.quoted(entry.path), code: code)
  }
}
