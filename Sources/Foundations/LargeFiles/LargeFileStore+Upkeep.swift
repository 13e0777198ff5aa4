package import GitModel
import Glibc

extension LargeFileStore {
  /// What a store that can be filled again may keep.
  package struct Bounds: Sendable {
    /// What has not been used for so long goes.
    package var unusedSecondsMax: Int = 7 * 86_400
    /// Beyond these, also what has not been used for `restSeconds`, the longest unused first.
    package var byteCountMax: UInt64 = 16 << 30
    /// What was used since may be about to be read.
    package var restSeconds: Int = 3_600

    package init() {}
  }

  /// Where downloads grow; ends in a slash.
  package var incomingDirectory: String { root + "incoming/" }

  package func incomingPath(of pointer: LargeFilePointer) -> String {
    incomingDirectory + pointer.name
  }

  /// How much of a content is there.
  package func incomingByteCount(of pointer: LargeFilePointer) throws(LargeFileError) -> UInt64 {
    var status = stat()
    let path = incomingPath(of: pointer)
    guard unsafe lstat(path, &status) != 0 else { return UInt64(status.st_size) }
    guard errno == ENOENT else { throw .cannot(operation: "examine", path: path, code: errno) }
    return 0
  }

  package func dropIncoming(_ pointer: LargeFilePointer) throws(LargeFileError) {
    try StoreDirectory.removeFile(incomingPath(of: pointer))
  }

  /// Makes the place for downloads.
  package func makeIncoming() throws(LargeFileError) { try makeDirectories(incomingDirectory) }

  /// Its file's time says when it was used last.
  package func markUsed(_ pointer: LargeFilePointer) throws(LargeFileError) {
    let path = path(of: pointer)
    guard unsafe utimensat(AT_FDCWD, path, nil, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT else {
      throw .cannot(operation: "touch", path: path, code: errno)
    }
  }

  /// Removes what is used no more; returns how much. `now`: seconds of the wall clock. Nothing else writes there meanwhile.
  @discardableResult
  package func removeUnused(
    at now: Int, _ bounds: Bounds = Bounds()
  ) throws(LargeFileError) -> UInt64 {
    var removed: UInt64 = 0
    func remove(_ file: StoredFile) throws(LargeFileError) {
      try StoreDirectory.removeFile(file.path)
      removed += file.byteCount
    }
    var kept: [StoredFile] = []
    for file in try files() {
      if now - file.usedAt > bounds.unusedSecondsMax {
        try remove(file)
      } else {
        kept.append(file)
      }
    }
    var byteCount = kept.reduce(UInt64(0)) { $0 + $1.byteCount }
    for file in kept.sorted(by: { $0.usedAt < $1.usedAt })
    where byteCount > bounds.byteCountMax && now - file.usedAt > bounds.restSeconds {
      try remove(file)
      byteCount -= file.byteCount
    }
    return removed
  }

  private struct StoredFile {
    let path: String
    let byteCount: UInt64
    let usedAt: Int
  }

  private func files() throws(LargeFileError) -> [StoredFile] {
    var directories = [incomingDirectory]
    for first in try StoreDirectory.names(in: directory) {
      for second in try StoreDirectory.names(in: "\(directory)/\(first)") {
        directories.append("\(directory)/\(first)/\(second)/")
      }
    }
    var files: [StoredFile] = []
    for directory in directories {
      for name in try StoreDirectory.names(in: directory) {
        var status = stat()
        let path = directory + name
        guard unsafe lstat(path, &status) == 0 else {
          if errno == ENOENT { continue }
          throw .cannot(operation: "examine", path: path, code: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { continue }
        files.append(
          StoredFile(
            path: path, byteCount: UInt64(status.st_size), usedAt: status.st_mtim.tv_sec))
      }
    }
    return files
  }
}
