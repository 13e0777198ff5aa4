import Foundation
import Git
import GitModel
import Patching
import TestSupport

/// A bare repository with every case in it as two branches, `<name>-A` and `<name>-B`, made by
/// `git fast-import`; gone with its last reference.
final class CaseRepository: Sendable {
  private let folder: TemporaryFolder
  var directory: String { folder.path }
  var path: String { directory + "/cases.git" }

  init(_ cases: [PatchCase]) throws {
    folder = try TemporaryFolder()
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
  func run(_ command: [String], input: URL? = nil) throws -> String {
    let input = input.map { Program.Input.file($0.path) } ?? .bytes([])
    return String(
      decoding: try Program.run(command, input: input, home: directory), as: UTF8.self)
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
