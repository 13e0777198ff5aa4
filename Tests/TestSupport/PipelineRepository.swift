import Foundation
package import GitModel

/// A repository, made and judged by the real `git`.
package struct PipelineRepository: Sendable {
  package let path: String
  package let program: PipelineProgram

  /// One that is there, or will be.
  package init(at path: String, in folder: PipelineFolder) {
    self.path = path
    program = PipelineProgram("/usr/bin/git", in: folder)
  }

  package init(
    making path: String, in folder: PipelineFolder, options: [String] = ["--initial-branch=main"]
  ) throws {
    self.init(at: path, in: folder)
    let result = try program.run(["init", "-q"] + options + [path])
    guard result.status == 0 else { throw ProgramFailure(arguments: options, result: result) }
  }

  package func run(_ arguments: [String], input: [UInt8] = []) throws -> ProgramResult {
    try program.run(arguments, in: path, input: input)
  }

  /// The output without its last newline; throws when git fails.
  @discardableResult
  package func git(_ arguments: String..., input: [UInt8] = []) throws -> String {
    let result = try run(arguments, input: input)
    guard result.status == 0 else { throw ProgramFailure(arguments: arguments, result: result) }
    return result.text
  }

  package func id(_ revision: String = "HEAD") throws -> ObjectID {
    let text = try git("rev-parse", "--verify", revision)
    guard let id = ObjectID(hex: text) else { throw CocoaError(.coderInvalidValue) }
    return id
  }

  package func tree(_ revision: String = "HEAD") throws -> ObjectID { try id(revision + "^{tree}") }

  package func write(_ name: String, _ text: String) throws {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
  }

  package func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + name)
  }

  /// A commit of these files on top of what is there.
  @discardableResult
  package func commit(_ files: [String: String], _ message: String = "change") throws -> ObjectID {
    for (name, text) in files { try write(name, text) }
    try git("add", "-A")
    try git("commit", "-q", "--allow-empty", "-m", message)
    return try id()
  }

  /// Empty when the working copy is exactly the revision that HEAD names.
  package func status() throws -> String {
    try git("status", "--porcelain", "--untracked-files=all", "--ignore-submodules=none")
  }

  /// Whether a step to that id has come to its end: its branch moves before its index does. Takes no lock of git's, and
  /// throws nothing while there is no repository yet.
  package func stands(at revision: String) -> Bool {
    let isThere = FileManager.default.fileExists(atPath: path)
    guard isThere, (try? id().hex) == revision else { return false }
    let status = try? git("--no-optional-locks", "status", "--porcelain", "--untracked-files=all")
    return status == ""
  }

  /// The complaints of `git fsck`, which are none in a sound repository.
  package func fsck() throws -> String {
    let result = try run(["fsck", "--full", "--strict", "--no-dangling", "--no-progress"])
    return result.status == 0 ? result.errors : "\(result.status): \(result.text)\(result.errors)"
  }
}
