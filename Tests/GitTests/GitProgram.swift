import Foundation
import Git
import GitModel
import TestSupport
import Testing

/// A temporary directory with a repository in it, made and judged by the real `git`; gone with its
/// last reference.
final class TestRepository: Sendable {
  private let folder: TemporaryFolder
  let path: String

  init(_ options: [String] = ["--initial-branch=main"]) throws {
    folder = try TemporaryFolder()
    path = folder.path + "/repository"
    try git(["init", "-q"] + options + [path], in: directory)
  }

  var directory: String { folder.path }

  func open() throws -> Repository { try Repository(opening: path) }

  /// The output; throws when git fails.
  @discardableResult
  func git(
    _ arguments: [String], input: [UInt8] = [], in place: String? = nil,
    environment: [String: String] = [:]
  ) throws -> [UInt8] {
    try Program.run(
      ["git"] + arguments, input: .bytes(input), home: directory, in: place ?? path,
      environment: environment)
  }

  /// Whatever git's exit status is.
  func run(
    _ arguments: [String], input: [UInt8] = [], in place: String? = nil,
    environment: [String: String] = [:]
  ) throws -> Program.Result {
    try Program.status(
      ["git"] + arguments, input: .bytes(input), home: directory, in: place ?? path,
      environment: environment)
  }

  /// The output as text without its last newline.
  func text(_ arguments: [String], input: [UInt8] = []) throws -> String {
    let output = String(decoding: try git(arguments, input: input), as: UTF8.self)
    return output.hasSuffix("\n") ? String(output.dropLast()) : output
  }

  func id(_ revision: String) throws -> ObjectID {
    try #require(ObjectID(hex: try text(["rev-parse", "--verify", revision])))
  }

  func write(_ name: String, _ content: some Sequence<UInt8>) throws {
    let url = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(content).write(to: url)
  }

  /// A commit of these files on top of what is there.
  @discardableResult
  func commit(_ files: [String: String], _ message: String = "change") throws -> ObjectID {
    for (name, content) in files { try write(name, content.utf8) }
    try git(["add", "-A"])
    try git(["commit", "-q", "--allow-empty", "-m", message])
    return try id("HEAD")
  }

  func files(below name: String) throws -> [String] {
    let found = try FileManager.default.subpathsOfDirectory(atPath: path + "/" + name)
    return found.filter { entry in
      var isDirectory: ObjCBool = false
      let isThere = unsafe FileManager.default.fileExists(
        atPath: path + "/" + name + "/" + entry, isDirectory: &isDirectory)
      return isThere && !isDirectory.boolValue
    }
  }
}
