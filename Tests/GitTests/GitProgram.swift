import Foundation
import Git
import GitModel
import Testing

/// A temporary directory with a repository in it, made and judged by the real `git`; gone with its
/// last reference.
final class TestRepository: Sendable {
  struct ProgramFailure: Error {
    let arguments: [String]
    let status: Int32
    let output: String
  }

  let directory: String
  let path: String

  init(_ options: [String] = ["--initial-branch=main"]) throws {
    var template = Array("/tmp/distro-git-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw CocoaError(.fileWriteUnknown)
    }
    directory = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = directory + "/repository"
    try git(["init", "-q"] + options + [path], in: directory)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: directory)
    } catch {
      FileHandle.standardError.write(Data("left behind: \(directory): \(error)\n".utf8))
    }
  }

  func open() throws -> Repository { try Repository(opening: path) }

  /// The output; throws when git fails.
  @discardableResult
  func git(
    _ arguments: [String], input: [UInt8] = [], in place: String? = nil,
    environment: [String: String] = [:]
  ) throws -> [UInt8] {
    let result = try run(arguments, input: input, in: place, environment: environment)
    guard result.status == 0 else {
      throw ProgramFailure(
        arguments: arguments, status: result.status,
        output: String(decoding: result.output, as: UTF8.self))
    }
    return result.output
  }

  /// Output and errors together, and the exit status. Files stand in for pipes, so that nothing can
  /// block.
  func run(
    _ arguments: [String], input: [UInt8] = [], in place: String? = nil,
    environment: [String: String] = [:]
  ) throws -> (status: Int32, output: [UInt8]) {
    let name = directory + "/" + UUID().uuidString
    try Data(input).write(to: URL(fileURLWithPath: name + ".in"))
    try Data().write(to: URL(fileURLWithPath: name + ".out"))
    defer {
      for suffix in [".in", ".out"] { unsafe unlink(name + suffix) }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/git")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: place ?? path)
    process.environment = [
      "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
      "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "LC_ALL": "C",
      "GIT_COMMITTER_NAME": "C", "GIT_COMMITTER_EMAIL": "c@example.org",
      "PATH": "/usr/bin:/bin", "GIT_AUTHOR_DATE": "1700000000 +0000",
      "GIT_COMMITTER_DATE": "1700000000 +0000",
    ].merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: name + ".in"))
    let output = try FileHandle(forWritingTo: URL(fileURLWithPath: name + ".out"))
    process.standardOutput = output
    process.standardError = output
    try process.run()
    process.waitUntilExit()
    try output.close()
    return (
      process.terminationStatus, [UInt8](try Data(contentsOf: URL(fileURLWithPath: name + ".out")))
    )
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

/// A generator whose runs repeat (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
  }
}
