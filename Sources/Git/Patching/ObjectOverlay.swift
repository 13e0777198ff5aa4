package import Git
package import GitModel

/// A database, and new objects over it that are only in memory until they are flushed.
package struct ObjectOverlay {
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

  /// The size of an object, read or not.
  package func byteCount(of id: ObjectID) throws(GitError) -> Int {
    if let content = contents[id] { return content.bytes.count }
    return try base.header(id).byteCount
  }

  /// The new objects as one pack beside the repository, on the disk; `nil`: there are none.
  ///
  /// Not as files: git removes those that nothing leads to yet whenever it likes, also those that are there already.
  package func pack(for repository: Repository) throws(GitError) -> QuarantinedPack? {
    if newObjects.isEmpty { return nil }
    let contents = contents
    var stream = PackStream(newObjects) { (object: ObjectReference) throws(GitError) -> [UInt8] in
      contents[object.id]?.bytes ?? []
    }
    let receiver = try PackReceiver(for: repository)
    while let piece = try stream.next() { try receiver.append(piece) }
    return try receiver.finish()
  }
}
