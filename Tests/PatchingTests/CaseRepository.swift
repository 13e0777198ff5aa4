import Foundation
import Git
import GitModel
import Patching
import TestSupport

/// A bare repository with every case in it as two branches, `<name>-A` and `<name>-B`, made by
/// `git fast-import`; gone with its last reference.
final class CaseRepository: Sendable {
  struct ProgramFailure: Error {
    let arguments: [String]
    let output: String
  }

  let directory: String
  var path: String { directory + "/cases.git" }

  init(_ cases: [PatchCase]) throws {
    directory = NSTemporaryDirectory() + "distro-patching-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try run(["git", "init", "-q", "--bare", path])
    let stream = URL(fileURLWithPath: directory + "/stream")
    try Data().write(to: stream)
    let output = try FileHandle(forWritingTo: stream)
    var marks: [ObjectID: Int] = [:]
    for each in cases {
      for (suffix, files) in [("A", each.old), ("B", each.new)] {
        try output.write(contentsOf: Self.blobs(files, &marks))
        try output.write(contentsOf: Self.commit(files, to: each.name + "-" + suffix, marks))
      }
    }
    try output.close()
    try run(["git", "-C", path, "fast-import", "--quiet"], input: stream)
    try FileManager.default.removeItem(at: stream)
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: directory)
    } catch {
      FileHandle.standardError.write(Data("left behind: \(directory): \(error)\n".utf8))
    }
  }

  private static func blobs(
    _ files: PatchCase.Files, _ marks: inout [ObjectID: Int]
  ) throws -> Data {
    var stream: [UInt8] = []
    for file in files.values where file.mode != .submodule {
      let id = try ObjectDatabase.hash(.blob, file.content)
      if marks[id] != nil { continue }
      let mark = marks.count + 1
      marks[id] = mark
      stream += "blob\nmark :\(mark)\ndata \(file.content.count)\n".utf8
      stream += file.content
      stream.append(10)
    }
    return Data(stream)
  }

  private static func commit(
    _ files: PatchCase.Files, to branch: String, _ marks: [ObjectID: Int]
  ) throws -> Data {
    var text = "commit refs/heads/\(branch)\ncommitter T <t@t> 1700000000 +0000\ndata 1\nx\n"
    text += "deleteall\n"
    for (path, file) in files {
      let isSubmodule = file.mode == .submodule
      let id = try ObjectDatabase.hash(.blob, isSubmodule ? [] : file.content)
      let commit = String(decoding: file.content.prefix(40), as: UTF8.self)
      let name = isSubmodule ? commit : ":\(marks[id, default: 0])"
      text += "M \(file.mode.octal) \(name) \(TreePath.quoted(path))\n"
    }
    return Data((text + "\n").utf8)
  }

  /// The output; throws when the program fails.
  @discardableResult
  func run(_ arguments: [String], input: URL? = nil) throws -> String {
    let name = URL(fileURLWithPath: directory + "/" + UUID().uuidString)
    try Data().write(to: name)
    let output = try FileHandle(forWritingTo: name)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.environment = [
      "PATH": "/usr/bin:/bin", "HOME": directory, "GIT_CONFIG_NOSYSTEM": "1",
      "GIT_CONFIG_GLOBAL": "/dev/null", "LC_ALL": "C",
    ]
    process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? .nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    process.waitUntilExit()
    try output.close()
    let text = String(decoding: try Data(contentsOf: name), as: UTF8.self)
    try FileManager.default.removeItem(at: name)
    guard process.terminationStatus == 0 else {
      throw ProgramFailure(arguments: arguments, output: text)
    }
    return text
  }
}

extension PatchingLimits {
  /// Beyond everything in the cases.
  static let wide = PatchingLimits(
    patchByteCountMax: 1 << 28, pathCountMax: 10_000, binaryByteCountMax: 1 << 27,
    fileByteCountMax: 1 << 26, contentByteCountMax: 1 << 28)
  /// As a signer has them.
  static let usual = PatchingLimits(
    patchByteCountMax: 8 << 20, pathCountMax: 20_000, fileByteCountMax: 8 << 20)
}
