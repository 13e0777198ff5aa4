import GitModel

extension FileSection {
  /// Appends the section as git writes it, apart from the path, which is always quoted, and the
  /// index line, which is always there.
  func print(to text: inout [UInt8]) {
    let quoted = (a: Self.quoted("a/", path), b: Self.quoted("b/", path))
    text += "diff --git \(quoted.a) \(quoted.b)\n".utf8
    printModes(to: &text)
    switch content {
    case .unchanged:
      break
    case .text(let hunks):
      printNames(quoted.a, quoted.b, to: &text)
      for hunk in hunks {
        text += hunk.header.utf8
        text += hunk.lines
      }
    case .binary(let forward, let reverse):
      text += "GIT binary patch\n".utf8
      forward.print(to: &text)
      reverse.print(to: &text)
    case .submodule:
      printNames(quoted.a, quoted.b, to: &text)
      text += submoduleHunk.utf8
    }
  }

  /// The whole hunk of a submodule: one line for each side that is there.
  var submoduleHunk: String {
    let header = "@@ -\(old == nil ? "0,0" : "1") +\(new == nil ? "0,0" : "1") @@\n"
    let deleted = old.map { "-Subproject commit \($0.id.hex)\n" } ?? ""
    let added = new.map { "+Subproject commit \($0.id.hex)\n" } ?? ""
    return header + deleted + added
  }

  private func printModes(to text: inout [UInt8]) {
    let ids = "index \((old?.id ?? .zero).hex)..\((new?.id ?? .zero).hex)"
    switch (old?.mode, new?.mode) {
    case (let mode?, nil):
      text += "deleted file mode \(mode.octal)\n\(ids)\n".utf8
    case (nil, let mode?):
      text += "new file mode \(mode.octal)\n\(ids)\n".utf8
    case (let before?, let after?) where before != after:
      text += "old mode \(before.octal)\nnew mode \(after.octal)\n\(ids)\n".utf8
    case (let mode?, _):
      text += "\(ids) \(mode.octal)\n".utf8
    case (nil, nil):
      preconditionFailure("a section has a side")
    }
  }

  private func printNames(_ oldName: String, _ newName: String, to text: inout [UInt8]) {
    text += "--- \(old == nil ? "/dev/null" : oldName)\n".utf8
    text += "+++ \(new == nil ? "/dev/null" : newName)\n".utf8
  }

  private static func quoted(_ prefix: String, _ path: TreePath) -> String {
    TreePath.quoted(Array(prefix.utf8) + path.bytes)
  }
}

extension Hunk {
  fileprivate var header: String {
    "@@ -\(Self.range(oldStart, oldCount)) +\(Self.range(newStart, newCount)) @@\n"
  }

  private static func range(_ start: Int, _ count: Int) -> String {
    count == 1 ? "\(start)" : "\(start),\(count)"
  }
}

extension BinaryPiece {
  fileprivate func print(to text: inout [UInt8]) {
    text += "\(kind.rawValue) \(inflatedByteCount)\n".utf8
    Base85.print(deflated, to: &text)
    text.append(UInt8(ascii: "\n"))
  }
}
