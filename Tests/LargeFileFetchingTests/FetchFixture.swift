import Foundation
import Git
import GitModel
import Host
import LargeFileFetching
import LargeFiles
import Programs
import TestSupport
import Testing
import Upstreams

/// A code host with an LFS server, and a mirror of a repository there.
struct FetchFixture: Sendable {
  static let token = "s3cret/töken"

  let folder: PipelineFolder
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

  func commit(_ files: [String: String]) throws {
    try work.commit(files)
    try work.git("push", "-q", "host", "main")
  }

  func server(
    _ change: (inout HTTPGitServer.Options) -> Void = { $0.token = Self.token }
  ) throws -> HTTPGitServer {
    var options = HTTPGitServer.Options()
    change(&options)
    return try HTTPGitServer(root: folder.path("host"), in: folder, options)
  }

  func token(_ text: String = Self.token) throws -> UpstreamSettings.Token {
    let path = try folder.write("token", text + "\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return .init(file: SecretFile(path), user: "git")
  }

  /// Of the server's repository, with the token.
  func place(
    of server: HTTPGitServer, _ change: (inout UpstreamSettings) -> Void = { _ in }
  ) throws -> Mirror.Place {
    let token = try token()
    return try place(server.url("shop.git")) {
      $0.token = token
      change(&$0)
    }
  }

  func place(
    _ url: String, _ change: (inout UpstreamSettings) -> Void = { _ in }
  ) throws -> Mirror.Place {
    var settings = UpstreamSettings(url: try UpstreamURL(url))
    change(&settings)
    return Mirror.Place(settings, below: folder.path("upstreams"))
  }

  /// Fetches the branch, then the contents that it needs.
  func bring(
    _ pointers: [LargeFilePointer], to place: Mirror.Place, stop: ProgramStop? = nil
  ) async throws -> LargeFileFetch.Failures {
    try await onThread {
      let mirror = Mirror(place)
      try mirror.fetch(["refs/heads/main"], of: ["refs/heads/main"])
      return LargeFileFetch(place, stop: stop)
        .bring(pointers, for: try work.tree(), on: "refs/heads/main")
    }
  }

  static func pointer(to content: [UInt8]) throws -> LargeFilePointer {
    var hasher = LargeFileHasher()
    hasher.update(content.span)
    return try #require(hasher.finish())
  }

  /// A content that the server has.
  static func put(_ content: [UInt8], on server: HTTPGitServer) throws -> LargeFilePointer {
    let pointer = try pointer(to: content)
    try Data(content).write(to: URL(fileURLWithPath: server.largeFile(pointer.name)))
    return pointer
  }

  static func put(_ text: String, on server: HTTPGitServer) throws -> LargeFilePointer {
    try put(Array(text.utf8), on: server)
  }

  /// That the mirror's store holds these, and nothing is left of how they came.
  func expectStored(
    _ pointers: [LargeFilePointer], in place: Mirror.Place,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let store = LargeFileFetch.store(of: place)
    for pointer in pointers {
      let path = store.path(of: pointer)
      let bytes = FileManager.default.contents(atPath: path).map { Array($0) } ?? []
      #expect(try Self.pointer(to: bytes) == pointer, sourceLocation: sourceLocation)
    }
    let incoming = try FileManager.default.contentsOfDirectory(atPath: store.incomingDirectory)
    #expect(incoming == [], sourceLocation: sourceLocation)
  }
}
