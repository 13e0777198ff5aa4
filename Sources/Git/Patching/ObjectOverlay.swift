package import Git
package import GitModel

/// A database, and new objects over it that are only in memory until they are flushed.
package struct ObjectOverlay {
  /// Above so many objects one pack is flushed sooner than as many files.
  private static let looseObjectCountMax = 10

  package let base: ObjectDatabase
  /// In the order in which they were added: what an object needs comes before it.
  package private(set) var newObjects: [ObjectReference] = []
  private var contents: [ObjectID: (kind: ObjectKind, bytes: [UInt8])] = [:]
  /// Of the new objects together: what they take in memory.
  package private(set) var byteCount = 0

  package init(over base: ObjectDatabase) {
    self.base = base
  }

  @discardableResult
  package mutating func add(_ kind: ObjectKind, _ bytes: [UInt8]) throws(GitError) -> ObjectID {
    let id = try ObjectDatabase.hash(kind, bytes)
    if contents.updateValue((kind, bytes), forKey: id) == nil {
      newObjects.append(ObjectReference(id: id, kind: kind))
      byteCount += bytes.count
    }
    return id
  }

  /// What `rollBack` comes back to.
  package var mark: Int { newObjects.count }

  /// Forgets what was added since.
  package mutating func rollBack(to mark: Int) {
    for object in newObjects[mark...] {
      byteCount -= contents.removeValue(forKey: object.id)?.bytes.count ?? 0
    }
    newObjects.removeSubrange(mark...)
  }

  package func contains(_ id: ObjectID) -> Bool { contents[id] != nil || base.contains(id) }

  package func header(_ id: ObjectID) throws(GitError) -> ObjectHeader {
    guard let (kind, bytes) = contents[id] else { return try base.header(id) }
    return ObjectHeader(kind: kind, byteCount: bytes.count)
  }

  package func read(
    _ id: ObjectID, _ kind: ObjectKind, byteCountMax: Int = ObjectDatabase.byteCountMax
  ) throws(GitError) -> [UInt8] {
    if let bytes = contents[id]?.bytes { return bytes }
    return try base.read(id, kind, byteCountMax: byteCountMax)
  }

  /// Writes the new objects into the repository, as files or as one pack; durable when it returns.
  /// What is there already is not written again, or does no harm.
  package func flush(into repository: Repository) throws(GitError) {
    guard newObjects.count > Self.looseObjectCountMax else {
      for object in newObjects {
        try repository.objects.write(object.kind, contents[object.id]?.bytes ?? [])
      }
      return
    }
    let contents = contents
    var stream = PackStream(newObjects) { (object: ObjectReference) throws(GitError) -> [UInt8] in
      contents[object.id]?.bytes ?? []
    }
    let receiver = try PackReceiver(for: repository)
    while let piece = try stream.next() { try receiver.append(piece) }
    try receiver.finish().keep()
  }
}
