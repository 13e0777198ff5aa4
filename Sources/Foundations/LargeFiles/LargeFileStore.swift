package import GitModel
internal import Glibc

/// The contents of large files below a git directory, where git-lfs keeps them: `lfs/objects/aa/bb/OID`.
///
/// Source: git-lfs, docs/spec.md, "The Server"; git-lfs-config(5), `lfs.storage`.
package struct LargeFileStore: Sendable {
  package typealias Sharing = @Sendable (String) throws(LargeFileError) -> Void

  /// Ends in a slash.
  package let root: String
  /// Begins the names of directories of contents on their way: those of one repository, as several may share a store.
  let incomingPrefix: String
  /// Gives a file or directory of ours the rights that the repository's have.
  private let sharing: Sharing
  package var directory: String { root + "objects" }

  /// `gitDirectory`: ends in a slash. `storage`: another place than `lfs`, absolute or below the git directory.
  package init(
    gitDirectory: String, storage: String? = nil,
    sharing: @escaping Sharing = { _ throws(LargeFileError) in }
  ) {
    let place = storage ?? "lfs"
    let path = place.hasPrefix("/") ? place : gitDirectory + place
    root = path.hasSuffix("/") ? path : path + "/"
    var hasher = LargeFileHasher()
    hasher.update(Array(gitDirectory.utf8).span)
    incomingPrefix = "distro-incoming-\(hasher.finish()?.abbreviated ?? "")-"
    self.sharing = sharing
  }

  func share(_ path: String) throws(LargeFileError) { try sharing(path) }

  package func path(of pointer: LargeFilePointer) -> String {
    let name = pointer.name
    return "\(directory)/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
  }

  /// By its name and size; its content is compared when it is read.
  package func contains(_ pointer: LargeFilePointer) throws(LargeFileError) -> Bool {
    var status = stat()
    let path = path(of: pointer)
    guard unsafe lstat(path, &status) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return false }
      throw .cannot(operation: "examine", path: path, code: errno)
    }
    return status.st_mode & S_IFMT == S_IFREG && UInt64(status.st_size) == pointer.byteCount
  }

  /// The whole content in pieces; throws where it ends if it was not the one, so what was made of it is to be dropped.
  package func read<E: Error>(
    _ pointer: LargeFilePointer, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(LargeFileReading<E>) {
    let path = path(of: pointer)
    do throws(LargeFileError) {
      guard try contains(pointer) else { throw .missing(pointer, directory: directory) }
    } catch {
      throw .store(error)
    }
    let number = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else {
      throw .store(.cannot(operation: "open", path: path, code: errno))
    }
    defer { close(number) }
    var hasher = LargeFileHasher()
    try Self.readAll(number, path) { (piece: Span<UInt8>) throws(E) in
      hasher.update(piece)
      try body(piece)
    }
    guard hasher.finish() == pointer else { throw .store(.damaged(pointer, path: path)) }
  }

  static func readAll<E: Error>(
    _ number: Int32, _ path: String, _ body: (Span<UInt8>) throws(E) -> Void
  ) throws(LargeFileReading<E>) {
    var buffer = [UInt8](repeating: 0, count: bufferByteCount)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(number, $0.baseAddress, $0.count)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw .store(.cannot(operation: "read", path: path, code: errno))
      }
      if count == 0 { return }
      do throws(E) { try body(buffer.span.extracting(0..<count)) } catch { throw .body(error) }
    }
  }

  /// For what was found to be damaged.
  package func remove(_ pointer: LargeFilePointer) throws(LargeFileError) {
    try StoreDirectory.removeFile(path(of: pointer))
  }

  static let bufferByteCount = 1 << 17
}

/// What ended reading a large file.
package enum LargeFileReading<E: Error>: Error {
  case store(LargeFileError)
  case body(E)
}
