import GitModel
import Programs

/// A file with the paths that a step changes, for a command: a line each, as `git diff --name-only` prints them.
struct ChangedFileList {
  private let file: ProgramFile

  var path: String { file.path }

  init(_ paths: [TreePath], for account: ProgramAccount?) throws(ProgramError) {
    var text: [UInt8] = []
    for path in paths.sorted() {
      text += path.isUnusual ? Array("\(path)".utf8) : path.bytes
      text.append(10)
    }
    file = try ProgramFile(text, for: account)
  }

  func remove() { file.remove() }
}
