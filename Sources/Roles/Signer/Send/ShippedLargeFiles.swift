import Git
import GitModel
import LargeFileFetching
import LargeFiles
import MessageFormat
import Patching

/// A content that a message brings, and one of the paths at which it will be.
struct LargeFile {
  let pointer: LargeFilePointer
  let path: TreePath
}

/// Which contents a message must bring.
struct ShippedLargeFiles {
  let repository: Repository
  let limits: TreeLimits
  let store: LargeFileStore
  /// Brings what the store lacks; `nil`: nothing does.
  let bring: (([LargeFilePointer], Snapshot) -> LargeFileFetch.Failures)?

  /// Those of the new tree's large files at paths that change, but for what the changes take from elsewhere: a file that is
  /// moved, for example. In the order in which they travel.
  ///
  /// Throws where one is not in the store, and cannot be brought.
  func files(from before: Snapshot?, to after: Snapshot) throws -> [LargeFile] {
    let changes = try repository.objects.changes(
      from: before?.tree, to: after.tree, limits: .counted)
    var old: Set<LargeFilePointer> = []
    if let before {
      var tree = TreeLargeFiles(of: before.tree, in: repository.objects)
      for change in changes {
        if let pointer = try tree.pointer(at: change.path, change.old) { old.insert(pointer) }
      }
    }
    var tree = TreeLargeFiles(of: after.tree, in: repository.objects)
    var paths: [LargeFilePointer: TreePath] = [:]
    for change in changes {
      guard let pointer = try tree.pointer(at: change.path, change.new), !old.contains(pointer),
        paths[pointer] == nil
      else { continue }
      paths[pointer] = change.path
    }
    let files = paths.map { LargeFile(pointer: $0.key, path: $0.value) }
      .sorted { $0.pointer.digest.lexicographicallyPrecedes($1.pointer.digest) }
    try requireLimits(files)
    try requireContents(of: files, at: after)
    return files
  }

  private func requireContents(of files: [LargeFile], at revision: Snapshot) throws {
    let missing = try files.filter { try !store.contains($0.pointer) }
    let failures = missing.isEmpty ? [:] : bring?(missing.map(\.pointer), revision) ?? [:]
    for file in missing {
      if let error = failures[file.pointer] {
        throw SignerError.largeFileFetch(
          commit: revision.revision, path: file.path, file.pointer, error)
      }
      guard try store.contains(file.pointer) else {
        throw SignerError.largeFile(
          commit: revision.revision, path: file.path,
          .missing(file.pointer, directory: store.directory))
      }
    }
    guard bring != nil else { return }
    for file in files { try store.markUsed(file.pointer) }
  }

  private func requireLimits(_ files: [LargeFile]) throws {
    guard files.count <= Limits.largeFileCountMax else {
      throw SignerError.overLimit(
        what: "the number of large files", limit: UInt64(Limits.largeFileCountMax),
        actual: UInt64(files.count))
    }
    let byteCount = files.reduce(UInt64(0)) { $0 + $1.pointer.byteCount }
    guard byteCount <= UInt64(limits.byteCountMax) else {
      throw SignerError.overLimit(
        what: "the size of the large files", limit: UInt64(limits.byteCountMax), actual: byteCount)
    }
  }
}
