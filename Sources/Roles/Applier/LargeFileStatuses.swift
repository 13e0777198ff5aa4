import Git
import GitModel
import Patching
import WorkingTree

/// Statuses of files that hold the content of their pointer. git, which would compare them with the pointer, needs them in its
/// index.
struct LargeFileStatuses {
  private let repository: Repository
  private let objects: ObjectOverlay

  init(_ repository: Repository) {
    self.repository = repository
    objects = ObjectOverlay(over: repository.objects)
  }

  /// Of files that were written before this second: a later change has another time.
  func statuses(
    of entries: [(path: TreePath, entry: TreeEntry)], in files: borrowing WorkingTree
  ) throws -> [TreePath: IndexedStatus] {
    let now = IndexedStatus.Time.now()
    var statuses: [TreePath: IndexedStatus] = [:]
    for (path, entry) in entries {
      guard let pointer = try objects.largeFilePointer(of: entry),
        case .file(let found) = try files.find(path), UInt64(found.size) == pointer.byteCount
      else { continue }
      var reader = try files.open(path)
      let status = IndexedStatus(reader.status)
      guard reader.status.fileMode == entry.mode, status.modified.seconds < now.seconds,
        try ContentLook.pointer(to: &reader) == pointer
      else { continue }
      statuses[path] = status
    }
    return statuses
  }

  /// After files were put back: renaming has set their change times. Only under git's lock on the index.
  func refresh(
    _ index: IndexUpdater, _ changes: [TreeChange], in files: borrowing WorkingTree
  ) throws {
    let entries = changes.compactMap { change -> (path: TreePath, entry: TreeEntry)? in
      guard let old = change.old, index.entry(at: change.path) == .entry(old) else { return nil }
      return (change.path, old)
    }
    let statuses = try statuses(of: entries, in: files)
    guard !statuses.isEmpty else { return }
    try index.prepare(
      removals: [],
      upserts: entries.compactMap { entry in
        statuses[entry.path].map {
          IndexUpsert(path: entry.path, entry: entry.entry, status: $0, isLargeFile: true)
        }
      })
    try index.publish(repository.sharedPermissions)
  }
}
