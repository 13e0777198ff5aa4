package import GitModel

/// What a git object is, as its header spells it.
package enum ObjectKind: String, Sendable, Hashable, CaseIterable {
  case commit
  case tree
  case blob
  case tag
}

/// What a database knows of an object without reading it.
package struct ObjectHeader: Hashable, Sendable {
  package let kind: ObjectKind
  package let byteCount: Int

  package init(kind: ObjectKind, byteCount: Int) {
    self.kind = kind
    self.byteCount = byteCount
  }
}

/// An object by name, with the kind that its place in a tree or a history gives it.
package struct ObjectReference: Hashable, Sendable {
  package let id: ObjectID
  package let kind: ObjectKind

  package init(id: ObjectID, kind: ObjectKind) {
    self.id = id
    self.kind = kind
  }
}
