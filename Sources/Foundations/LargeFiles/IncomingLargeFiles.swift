package import GitModel
internal import Glibc

/// Contents on their way into a store, in a directory beside it: each has a name there only once it is whole, synced and has
/// the SHA-256 that was announced. Let go without `publish`, it leaves no file.
@safe
package final class IncomingLargeFiles {
  private let store: LargeFileStore
  private let directory: String
  /// Whole, in the order in which they came.
  package private(set) var pointers: [LargeFilePointer] = []
  private var current: Current?

  private struct Current {
    /// `nil`: whatever comes.
    let pointer: LargeFilePointer?
    let number: Int32
    let path: String
    var hasher = LargeFileHasher()
    var byteCount: UInt64 = 0
  }

  package init(for store: LargeFileStore) throws(LargeFileError) {
    self.store = store
    try store.makeDirectories(store.root)
    var template = Array((store.root + store.incomingPrefix + "XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw .cannot(operation: "make a directory in", path: store.root, code: errno)
    }
    directory =
      String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) + "/"
  }

  deinit {
    if let current { close(current.number) }
    do throws(LargeFileError) {
      try StoreDirectory.remove(directory)
    } catch {
      // A deinitializer cannot report it; `removeLeftovers` finds it by its name.
      return
    }
  }

  /// The next file; `append` brings its bytes, and `finish` must follow before another one.
  ///
  /// `pointer`: what it must be; `nil`: whatever comes.
  package func begin(_ pointer: LargeFilePointer?) throws(LargeFileError) {
    precondition(current == nil, "one file after the other")
    let path = directory + (pointer?.name ?? "new")
    let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o666)
    guard number >= 0 else { throw .cannot(operation: "create", path: path, code: errno) }
    current = Current(pointer: pointer, number: number, path: path)
  }

  package func append(_ bytes: Span<UInt8>) throws(LargeFileError) {
    guard var file = current.take() else { preconditionFailure("bytes of no file") }
    defer { current = file }
    file.byteCount += UInt64(bytes.count)
    if let pointer = file.pointer, file.byteCount > pointer.byteCount {
      throw .otherContent(pointer)
    }
    file.hasher.update(bytes)
    var written = 0
    while written < bytes.count {
      let rest = bytes.extracting(written..<bytes.count)
      let count = unsafe rest.withUnsafeBytes {
        unsafe write(file.number, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .cannot(operation: "write", path: file.path, code: errno) }
      written += count
    }
  }

  /// What it is; `nil`: it is empty, which no large file is.
  @discardableResult
  package func finish() throws(LargeFileError) -> LargeFilePointer? {
    guard let file = current.take() else { preconditionFailure("the end of no file") }
    defer { close(file.number) }
    let found = file.hasher.finish()
    if let expected = file.pointer, found != expected { throw .otherContent(expected) }
    guard let found else { return nil }
    guard fsync(file.number) == 0 else {
      throw .cannot(operation: "sync", path: file.path, code: errno)
    }
    let path = directory + found.name
    guard unsafe rename(file.path, path) == 0 else {
      throw .cannot(operation: "name", path: path, code: errno)
    }
    pointers.append(found)
    return found
  }

  /// Into the store, in the place of what is there under the same names; durable when it returns.
  package func publish() throws(LargeFileError) {
    try store.place(pointers.map { ($0, directory + $0.name) })
    pointers = []
    try StoreDirectory.remove(directory)
  }

  /// What killed runs have left; the caller knows that no other run is at work on the repository.
  package static func removeLeftovers(of store: LargeFileStore) throws(LargeFileError) {
    for name in try StoreDirectory.names(in: store.root) where name.hasPrefix(store.incomingPrefix)
    {
      try StoreDirectory.remove(store.root + name + "/")
    }
  }
}
