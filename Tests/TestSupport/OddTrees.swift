package import GitModel

/// A directory that programs other than git have written.
package struct OddTree: Sendable, CustomStringConvertible {
  package let name: String
  package let description: String
  /// Mode and name; what a mode of a directory names is `directory`, anything else a blob.
  private let entries: [(mode: String, name: String)]

  fileprivate init(_ name: String, _ entries: [(mode: String, name: String)]) {
    self.name = name
    description = name
    self.entries = entries
  }

  package func bytes(blobs: [ObjectID], directory: ObjectID) -> [UInt8] {
    entries.enumerated().flatMap { index, entry in
      let isDirectory = entry.mode.hasSuffix("40000") || entry.mode == "40755"
      let id = isDirectory ? directory : blobs[index % blobs.count]
      return Array("\(entry.mode) \(entry.name)\0".utf8) + id.bytes
    }
  }
}

package enum OddTrees {
  /// git clones these, and calls what it has checked out clean.
  package static let taken = [
    OddTree("mode 100666", [("100666", "f"), ("100644", "g")]),
    OddTree("mode 100777", [("100777", "f"), ("100644", "g")]),
    OddTree("modes padded with zeros", [("0100644", "f"), ("040000", "s")]),
    OddTree("modes padded with many zeros", [("00000100644", "f"), ("000040000", "s")]),
    OddTree("directory of mode 40755", [("40755", "d"), ("100644", "g")]),
    OddTree("link of mode 120777", [("120777", "d"), ("100644", "g")]),
    OddTree("files out of order", [("100644", "b"), ("100644", "a")]),
    OddTree("directory out of order", [("40000", "a"), ("100644", "a.c")]),
    OddTree("mode of no kind", [("644", "f"), ("100644", "g")]),
  ]

  /// With what must be said of them. git does not take them, or not without a change of what it has checked out.
  package static let refused = [
    (OddTree("name twice", [("100644", "a"), ("100644", "a")]), "\"a\" twice"),
    (OddTree("file and directory", [("100644", "a"), ("40000", "a")]), "\"a\" twice"),
    (OddTree("slash", [("100644", "a/b")]), "\"a/b\""),
    (OddTree("no name", [("100644", "")]), "without a name"),
    (OddTree("git's directory", [("40000", ".git")]), "odd/.git"),
    (OddTree("long name", [("100644", String(repeating: "n", count: 256))]), "256 bytes"),
  ]
}
