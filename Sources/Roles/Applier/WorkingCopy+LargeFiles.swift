import Git
import GitModel
import LargeFiles
import Patching
import WorkingTree

// Contents in the place of pointers. The tree and the index keep the pointers.
extension WorkingCopy {
  /// A copy of what the store has. Memory stays flat.
  func stage(
    _ pointer: LargeFilePointer, _ mode: FileMode, for path: TreePath
  ) throws -> StagedFile {
    var writer = try checkout.staging.makeFile(
      executable: mode == .executable, for: path, in: checkout.files)
    do throws(LargeFileReading<WorkingTreeError>) {
      try checkout.largeFiles.read(pointer) { piece throws(WorkingTreeError) in
        try writer.append(piece)
      }
    } catch {
      switch error {
      case .body(let error): throw error
      case .store(let error) where error.isAboutContent:
        // The message that brings it again finds its place free.
        try checkout.largeFiles.remove(pointer)
        throw Refused(.largeFileMissing, "\(path): \(error)")
      case .store(let error): throw error
      }
    }
    // git compares a file that is as young as its index with the blob, which is the pointer.
    try writer.backdate()
    return try checkout.staging.finish(writer)
  }
}

extension Checkout {
  /// Those of a revision's large files at the new sides of changes whose content is here.
  func storedLargeFiles(
    at changes: [TreeChange], ofCommit id: ObjectID
  ) throws -> [TreePath: LargeFilePointer] {
    var tree = TreeLargeFiles(of: try repository.objects.commit(id).tree, in: repository.objects)
    return try tree.pointers(at: changes).filter { try largeFiles.contains($0.value) }
  }
}

extension Checkout {
  /// Of a tree's large files that do not change: those that stand here as pointers, though their content is at hand.
  func unwrittenLargeFiles(
    of tree: ObjectID, in objects: ObjectOverlay, except changes: [TreeChange],
    where isAtHand: (LargeFilePointer) throws -> Bool
  ) throws -> [(change: TreeChange, pointer: LargeFilePointer)] {
    let changed = Set(changes.map(\.path))
    var largeFiles = TreeLargeFiles(of: tree, in: objects)
    var unwritten: [(TreeChange, LargeFilePointer)] = []
    for change in try objects.base.changes(from: nil, to: tree, limits: .counted)
    where !changed.contains(change.path) {
      guard let entry = change.new,
        let pointer = try largeFiles.pointer(at: change.path, entry), try isAtHand(pointer),
        case .file(let status) = try files.find(change.path),
        status.size == Int64(pointer.text.count)
      else { continue }
      var reader = try files.open(change.path)
      guard reader.status.fileMode == entry.mode, try reader.readToEnd() == pointer.text else {
        continue
      }
      unwritten.append((.rewriting(change.path, entry), pointer))
    }
    return unwritten
  }
}

/// Whether a file holds what git has under an entry, or the content that an entry's pointer names.
struct EntryLook {
  private let objects: ObjectOverlay
  /// Pointers that are not in the repository yet, by the names of their blobs.
  private let known: [ObjectID: LargeFilePointer]

  init(
    _ objects: ObjectDatabase, contents: [TreePath: LargeFilePointer] = [:]
  ) throws(GitError) {
    self.objects = ObjectOverlay(over: objects)
    var known: [ObjectID: LargeFilePointer] = [:]
    for pointer in contents.values {
      known[try ObjectDatabase.hash(.blob, pointer.text)] = pointer
    }
    self.known = known
  }

  func holds(
    _ entry: TreeEntry, _ reader: inout FileReader
  ) throws(WorkingTreeError) -> Bool {
    guard reader.status.fileMode == entry.mode else { return false }
    guard let pointer = pointer(of: entry), UInt64(reader.status.size) == pointer.byteCount else {
      return try ContentLook.hash(&reader) == entry.id
    }
    guard pointer.byteCount <= LargeFilePointer.textByteCountMax else {
      return try ContentLook.pointer(to: &reader) == pointer
    }
    // It may be the pointer itself.
    let content = try reader.readToEnd()
    var hasher = LargeFileHasher()
    hasher.update(content.span)
    return hasher.finish() == pointer || LargeFilePointer(content) == pointer
  }

  /// What cannot be read is no pointer: then the file itself must be the blob.
  private func pointer(of entry: TreeEntry) -> LargeFilePointer? {
    if let pointer = known[entry.id] { return pointer }
    do throws(GitError) {
      return try objects.largeFilePointer(of: entry)
    } catch {
      return nil
    }
  }
}
