import Foundation
import GitModel
import Programs
import TestSupport

import Upstreams

/// A repository as a code host has it, and a place for mirrors of it.
struct UpstreamFixture: Sendable {
  let folder: PipelineFolder
  /// Where one commits; pushes go to `bare`.
  let work: PipelineRepository
  let bare: PipelineRepository

  init() throws {
    folder = try PipelineFolder()
    work = try PipelineRepository(making: folder.path("work"), in: folder)
    bare = try PipelineRepository(
      making: folder.path("host/shop.git"), in: folder,
      options: ["--bare", "--initial-branch=main"])
    try work.git("remote", "add", "host", bare.path)
    try commit(["a": "1\n"])
  }

  /// On main, pushed.
  @discardableResult
  func commit(_ files: [String: String]) throws -> ObjectID {
    let id = try work.commit(files)
    try push("main")
    return id
  }

  func push(_ refspecs: String...) throws {
    for refspec in refspecs { try work.git("push", "-q", "--force", "host", refspec) }
  }

  func mirror(
    _ url: String? = nil, stop: ProgramStop? = nil,
    _ change: (inout UpstreamSettings) -> Void = { _ in }
  ) throws -> Mirror {
    var settings = UpstreamSettings(url: try UpstreamURL(url ?? "file://" + bare.path))
    change(&settings)
    return Mirror(Mirror.Place(settings, below: folder.path("upstreams")), stop: stop)
  }

  /// Fetches what fits the patterns, as a signer does.
  @discardableResult
  static func fetch(
    _ mirror: Mirror, _ patterns: [String] = ["refs/heads/main"]
  ) async throws -> [String: ObjectID] {
    try await onThread {
      let tips = try mirror.tips(patterns)
      try mirror.prepare()
      let local = try mirror.localTips()
      try mirror.fetch(
        tips.filter { local[$0.key] != $0.value }.keys.sorted(), of: Set(tips.keys))
      return try mirror.localTips()
    }
  }

  /// With mode 0600.
  func secret(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
    let path = try folder.write(name, text)
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    return path
  }

  /// In a mirror, judged by git itself.
  func git(in mirror: Mirror) -> PipelineRepository {
    PipelineRepository(at: mirror.path, in: folder)
  }
}

/// What `body` throws; `nil`: it throws nothing.
func failure(of body: () async throws -> Void) async -> UpstreamError? {
  do {
    try await body()
    return nil
  } catch let error as UpstreamError {
    return error
  } catch {
    return .program(.launch(program: "", reason: "\(error)"))
  }
}

/// Why the upstream cannot be asked.
func refusal(of mirror: Mirror) async -> UpstreamError? {
  await failure { _ = try await onThread { try mirror.tips(["refs/heads/main"]) } }
}
