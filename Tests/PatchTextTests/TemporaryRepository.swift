import Foundation
import TestSupport

/// A bare repository below the temporary directory, used through the real git program with no
/// configuration but its own; removed with the object.
final class TemporaryRepository {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try git("init", "-q", "--bare", folder.path + "/repository.git")
  }

  var directory: URL { URL(fileURLWithPath: folder.path) }

  /// What the command prints; throws when it fails.
  @discardableResult
  func git(
    _ arguments: String..., input: [UInt8] = [], workTree: URL? = nil
  ) throws -> [UInt8] {
    var environment = [
      "GIT_DIR": folder.path + "/repository.git", "GIT_INDEX_FILE": folder.path + "/index",
    ]
    environment["GIT_WORK_TREE"] = workTree?.path
    return try Program.run(
      ["git"] + arguments, input: .bytes(input), home: folder.path, in: workTree?.path,
      environment: environment)
  }

  /// The same, for one line of text.
  func line(_ arguments: String...) throws -> String {
    let output: [UInt8] =
      switch arguments.count {
      case 1: try git(arguments[0])
      case 2: try git(arguments[0], arguments[1])
      default: preconditionFailure("one or two arguments")
      }
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}
