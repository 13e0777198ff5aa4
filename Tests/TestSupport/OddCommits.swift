package import GitModel

/// A commit that programs other than git have written, and that git clones, checks out and logs.
package struct OddCommit: Sendable, CustomStringConvertible {
  package let name: String
  /// `TREE` and `PARENT` stand for ids.
  private let text: String

  package var description: String { name }

  fileprivate init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
  }

  package func bytes(tree: ObjectID, parent: ObjectID) -> [UInt8] {
    let text = text.replacing("TREE", with: tree.hex)
      .replacing("UPPER", with: tree.hex.uppercased()).replacing("PARENT", with: parent.hex)
    return Array(text.utf8)
  }
}

package enum OddCommits {
  private static let people = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"

  package static let all = [
    OddCommit("two authors", "tree TREE\nparent PARENT\nauthor B <b@c> 1 +0000\n\(people)\nm\n"),
    OddCommit(
      "time of 2^64",
      "tree TREE\nparent PARENT\nauthor A <a@b> 18446744073709548016 +0100\n"
        + "committer A <a@b> 18446744073709551616 +0100\n\nm\n"),
    OddCommit(
      "no mail",
      "tree TREE\nparent PARENT\nauthor nobody 1282910542 +0200\ncommitter nobody 1 +0200\n\nm\n"),
    OddCommit(
      "line feed in mail",
      "tree TREE\nparent PARENT\nauthor A <a\n@b> 1 +0000\ncommitter A <a\n@b> 1 +0000\n\nm\n"),
    OddCommit("no people", "tree TREE\nparent PARENT\n\nm\n"),
    OddCommit("no message", "tree TREE\nparent PARENT\n\(people)"),
    OddCommit("no newline at the end", "tree TREE\nparent PARENT\n\(people)\nm"),
    OddCommit("header without an end", "tree TREE\nparent PARENT\n\(people.dropLast())"),
    OddCommit(
      "other headers", "tree TREE\nparent PARENT\n\(people)x y\n z\nencoding latin1\n\nm\n"),
    OddCommit("capital letters", "tree UPPER\nparent PARENT\n\(people)\nm\n"),
    OddCommit("NUL byte", "tree TREE\nparent PARENT\nauthor A\0 <a@b> 1\n\(people)\nm\0\n"),
    OddCommit("parent behind the author", "tree TREE\nauthor A\nparent PARENT\n\nm\n"),
  ]
}
