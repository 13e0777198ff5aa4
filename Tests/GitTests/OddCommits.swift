import GitModel
import Testing

/// A commit that programs other than git have written, and that git clones, checks out and logs.
struct OddCommit: Sendable, CustomTestStringConvertible {
  let name: String
  /// `TREE` and `PARENT` stand for ids.
  let text: [UInt8]

  var testDescription: String { name }

  init(_ name: String, _ text: String) {
    self.name = name
    self.text = Array(text.utf8)
  }

  /// On top of HEAD, with its tree.
  func write(to test: TestRepository) throws -> ObjectID {
    var text = String(decoding: text, as: UTF8.self)
    let (tree, parent) = (try test.id("HEAD^{tree}").hex, try test.id("HEAD").hex)
    text.replace("TREE", with: tree)
    text.replace("UPPER", with: tree.uppercased())
    text.replace("PARENT", with: parent)
    let id = try test.text(
      ["hash-object", "-w", "--literally", "-t", "commit", "--stdin"], input: Array(text.utf8))
    return try #require(ObjectID(hex: id))
  }
}

enum OddCommits {
  private static let people = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"

  static let all = [
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
