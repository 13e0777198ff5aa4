import Foundation
import TestSupport

/// A repository, made and judged by the real `git`.
struct Repository: Sendable {
  let path: String
  let home: String

  @discardableResult
  func git(_ arguments: [String], input: [UInt8] = []) throws -> String {
    // Looking at a checkout must not write its index.
    let output = try Program.run(
      ["git", "-c", "gc.auto=0"] + arguments, input: .bytes(input), home: home, in: path,
      environment: ["GIT_OPTIONAL_LOCKS": "0"])
    return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  /// A bare one.
  func make() throws {
    try Program.run(["git", "init", "-q", "--bare", "--initial-branch=main", path], home: home)
  }

  /// `nil`: the branch has no commit yet, or there is no repository.
  func tip(_ revision: String = "refs/heads/main") throws -> String? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let result = try Program.status(
      ["git", "rev-parse", "--verify", "-q", revision], home: home, in: path)
    guard result.status == 0 else { return nil }
    return String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .newlines)
  }

  /// What tells the working tree from HEAD; empty when they are the same, also in what is not tracked.
  func differences() throws -> String {
    try git(["status", "--porcelain", "--untracked-files=all"])
  }

  /// The complaints of `git fsck`, which are none in a sound repository.
  func complaints() throws -> String {
    let result = try Program.status(
      ["git", "fsck", "--full", "--strict", "--no-dangling", "--no-progress"], home: home, in: path)
    let text = String(decoding: result.output + result.errors, as: UTF8.self)
    return result.status == 0 && text.isEmpty ? "" : "\(result.status): \(text)"
  }
}
