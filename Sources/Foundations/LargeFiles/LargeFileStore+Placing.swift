package import GitModel
import Glibc

extension LargeFileStore {
  /// Files of the same file system, whole and synced, under their names in the store; durable when it returns.
  func place(_ files: [(pointer: LargeFilePointer, path: String)]) throws(LargeFileError) {
    var parents: Set<String> = []
    for (pointer, path) in files {
      let target = self.path(of: pointer)
      let parent = StoreDirectory.parent(of: target)
      for made in try makeDirectories(parent) { parents.insert(made) }
      parents.insert(parent)
      try share(path)
      guard unsafe rename(path, target) == 0 else {
        throw .cannot(operation: "store", path: target, code: errno)
      }
    }
    for parent in parents { try StoreDirectory.synchronize(parent) }
  }

  /// Takes in a file of the same file system that holds what a pointer names: it is read as a whole, and moved. Throws
  /// `otherContent` where it is something else, and leaves it.
  package func take(_ path: String, as pointer: LargeFilePointer) throws(LargeFileError) {
    let number = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw .cannot(operation: "open", path: path, code: errno) }
    defer { close(number) }
    var hasher = LargeFileHasher()
    do throws(LargeFileReading<Never>) {
      try Self.readAll(number, path) { hasher.update($0) }
    } catch {
      switch error {
      case .store(let error): throw error
      }
    }
    guard hasher.finish() == pointer else { throw .otherContent(pointer) }
    guard fsync(number) == 0 else { throw .cannot(operation: "sync", path: path, code: errno) }
    try place([(pointer, path)])
  }

  /// Brings a content from another store.
  package func copy(
    _ pointer: LargeFilePointer, from other: LargeFileStore
  ) throws(LargeFileError) {
    let incoming = try IncomingLargeFiles(for: self)
    try incoming.begin(pointer)
    do throws(LargeFileReading<LargeFileError>) {
      try other.read(pointer) { (piece: Span<UInt8>) throws(LargeFileError) in
        try incoming.append(piece)
      }
    } catch {
      switch error {
      case .store(let error), .body(let error): throw error
      }
    }
    try incoming.finish()
    try incoming.publish()
  }

  /// Those whose entries changed: each that was made, and the one above it.
  @discardableResult
  func makeDirectories(_ path: String) throws(LargeFileError) -> [String] {
    if unsafe mkdir(path, 0o777) == 0 {
      try share(path)
      return [path, StoreDirectory.parent(of: path)]
    }
    switch errno {
    case EEXIST: return []
    case ENOENT:
      let made = try makeDirectories(StoreDirectory.parent(of: path))
      guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw .cannot(operation: "make", path: path, code: errno)
      }
      try share(path)
      return made + [path]
    default: throw .cannot(operation: "make", path: path, code: errno)
    }
  }
}
