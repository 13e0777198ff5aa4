import Foundation
import GitModel
import LargeFileFetching
import LargeFiles
import Programs
import TestSupport
import Testing
import Upstreams
import WebClient

/// Where contents are looked for, and who is shown what.
@Suite(.serialized) struct PlaceTests {
  private let fixture: FetchFixture

  init() throws { fixture = try FetchFixture() }

  private func configure(_ url: String) throws {
    try fixture.commit([".lfsconfig": "[lfs]\n\turl = \(url)\n"])
  }

  // MARK: - What a commit says

  @Test func `a commit sends nobody elsewhere`() async throws {
    let server = try fixture.server()
    let stranger = try HTTPReceiver()
    let pointer = try FetchFixture.put("content\n", on: server)
    let place = try fixture.place(of: server)
    for url in [
      stranger.url + "/shop.git/info/lfs", "https://127.0.0.1:\(server.port)/x",
      "http://localhost:\(server.port)/x", "ssh://git@127.0.0.1/x", "git@127.0.0.1:x",
      "file://" + fixture.bare.path,
    ] {
      try configure(url)
      let failures = try await fixture.bring([pointer], to: place)
      #expect(failures == [pointer: .placeElsewhere(place.settings.url, named: url)])
      #expect(failures[pointer]?.hint?.contains("lfs-url") == true)
    }
    try configure("http://git:s3cret@127.0.0.1:\(server.port)/x")
    let error = try #require(try await fixture.bring([pointer], to: place)[pointer])
    #expect(error.code == .addressInvalid && !"\(error)".contains("s3cret"), "\(error)")
    #expect(stranger.requests.isEmpty && server.asked("").isEmpty)
  }

  @Test func `a commit may name another path at the same place`() async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    try configure(server.url("big/files.git/info/lfs"))
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([pointer], to: place) == [:])
    #expect(server.log.contains("POST /big/files.git/info/lfs/objects/batch"))
  }

  @Test func `a server that the configuration names is asked, with its own token alone`()
    async throws
  {
    let server = try fixture.server()
    let other = try fixture.server { $0.token = "other" }
    let pointer = try FetchFixture.put("content\n", on: other)
    try configure("https://elsewhere.example.org/x")
    var place = try fixture.place(of: server) { $0.largeFileURL = other.url("s.git/info/lfs") }
    guard
      case .upstream(.credentialRejected(_, .none, _))? =
        try await fixture.bring([pointer], to: place)[pointer]
    else {
      Issue.record("the upstream's token was shown to another server, or worse")
      return
    }
    #expect(!other.asked("batch").contains { $0.contains("auth=yes") })
    let path = try fixture.folder.write("other-token", "other\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    place = try fixture.place(of: server) {
      $0.largeFileURL = other.url("s.git/info/lfs")
      $0.largeFileToken = .init(file: .init(path), user: "git")
    }
    #expect(try await fixture.bring([pointer], to: place) == [:])
  }

  // MARK: - What a server says

  @Test func `what is for one host is not shown to another`() async throws {
    let server = try fixture.server()
    let text = "content\n"
    let pointer = try FetchFixture.put(text, on: server)
    let storage = try HTTPReceiver { _ in .answer(200, body: text) }
    let action = #"{"href": "\#(storage.url)/OID", "header": {"X-Key": "k"}}"#
    try server.misbehave(#"[{"at": "batch", "action": \#(action)}]"#)
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([pointer], to: place) == [:])
    let asked = try #require(storage.requests.first)
    #expect(asked.target == "/" + pointer.name)
    #expect(asked.headers["x-key"] == "k" && asked.headers["authorization"] == nil)
    // A redirect takes no header along.
    try server.misbehave(#"[{"at": "object", "location": "\#(storage.url)/moved/OID"}]"#)
    try LargeFileFetch.store(of: place).remove(pointer)
    #expect(try await fixture.bring([pointer], to: place) == [:])
    let moved = try #require(storage.requests.last)
    #expect(moved.target == "/moved/" + pointer.name)
    #expect(moved.headers["x-key"] == nil && moved.headers["authorization"] == nil)
    #expect(server.asked("GET").last?.contains("auth=yes X-Key=k-") == true)
  }

  @Test(arguments: [
    #"{"href": "http://example.org/OID"}"#, #"{"href": "file:///etc/passwd"}"#, #"{"href": ""}"#,
    #"{"href": "HTTP://127.0.0.1:1/OID", "header": {"X: y": "k"}}"#,
    #"{"href": "http://127.0.0.1:1/OID", "header": {"X-Key": "k\r\nHost: other"}}"#,
  ])
  func `a way that could lead anywhere is not taken`(action: String) async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    try server.misbehave(#"[{"at": "batch", "action": \#(action)}]"#)
    let failures = try await fixture.bring([pointer], to: fixture.place(of: server))
    guard case .invalid? = failures[pointer] else {
      Issue.record("\(failures)")
      return
    }
  }

  @Test func `from TLS nothing leads to plain HTTP`() async throws {
    let storage = try HTTPReceiver()
    let server = try fixture.server {
      $0.token = FetchFixture.token
      $0.isTLS = true
    }
    let pointer = try FetchFixture.put("content\n", on: server)
    try server.misbehave(
      #"[{"at": "batch", "action": {"href": "\#(storage.url)/OID"}}]"#)
    let place = try fixture.place(of: server) { $0.caFile = server.certificate }
    guard case .invalid? = try await fixture.bring([pointer], to: place)[pointer] else {
      Issue.record("it was followed")
      return
    }
    #expect(storage.requests.isEmpty)
  }

  @Test func `a stop ends a download`() async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    try server.misbehave(#"[{"at": "object", "silent": true}]"#)
    let stop = try ProgramStop()
    async let isAsked = onThread {
      defer { stop.set() }
      return becomesTrue { !server.asked("GET").isEmpty }
    }
    let place = try fixture.place(of: server)
    #expect(try await fixture.bring([pointer], to: place, stop: stop) == [pointer: .stopped])
    #expect(try await isAsked)
  }

  // MARK: - Without a server

  @Test(arguments: [nil, "elsewhere", "/"])
  func `a repository of this machine gives what its store has`(storage: String?) async throws {
    var directory = fixture.bare.path + "/lfs"
    if let storage {
      directory = storage == "/" ? fixture.folder.path("store") : fixture.bare.path + "/" + storage
      try fixture.bare.git("config", "lfs.storage", storage == "/" ? directory : storage)
    }
    let (there, lacking, damaged) = (
      Array("there\n".utf8), Array("lacking\n".utf8), Array("damaged\n".utf8)
    )
    let pointers = try [there, lacking, damaged].map(FetchFixture.pointer)
    for (pointer, content) in [(pointers[0], "there\n"), (pointers[2], "Damaged\n")] {
      let name = pointer.name
      let path = "\(directory)/objects/\(name.prefix(2))/\(name.dropFirst(2).prefix(2))"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try Data(content.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }
    let place = try fixture.place("file://" + fixture.bare.path)
    let failures = try await fixture.bring(pointers, to: place)
    #expect(
      failures[pointers[1]] == .missing(pointers[1], directory: directory + "/objects"))
    guard case .store(.damaged)? = failures[pointers[2]] else {
      Issue.record("\(failures)")
      return
    }
    #expect(failures.count == 2)
    try fixture.expectStored([pointers[0]], in: place)
  }

  // MARK: - ssh

  private func sshPlace(
    _ server: SSHServer, _ change: (inout UpstreamSettings) -> Void = { _ in }
  ) throws -> Mirror.Place {
    try fixture.place(server.url(fixture.bare.path)) {
      $0.keyFile = .init(server.key)
      $0.knownHostsFile = server.knownHosts
      change(&$0)
    }
  }

  @Test(.enabled(if: SSHServer.isAllowed, "there is no sshd"))
  func `ssh says where the contents are, and what opens them`() async throws {
    let server = try fixture.server()
    let pointer = try FetchFixture.put("content\n", on: server)
    let basic = Data("git:\(FetchFixture.token)".utf8).base64EncodedString()
    let answer = try fixture.folder.write(
      "answer.json",
      #"{"href": "\#(server.url("shop.git/info/lfs"))", "header": {"Authorization": "Basic \#(basic)"}, "#
        + #""expires_in": 600}"#)
    let ssh = try SSHServer(in: fixture.folder, authenticating: answer)
    let place = try sshPlace(ssh)
    #expect(try await fixture.bring([pointer], to: place) == [:], "\(ssh.log)")
    try fixture.expectStored([pointer], in: place)
    #expect(server.asked("batch").allSatisfy { $0.contains("auth=yes") })
    let commands = try String(contentsOfFile: answer + ".log", encoding: .utf8)
    #expect(commands == "git-lfs-authenticate \(fixture.bare.path) download\n")
    // A commit may name another repository of the same host, and no other host.
    try configure(ssh.url("/other path.git").replacing(" ", with: "%20"))
    try LargeFileFetch.store(of: place).remove(pointer)
    #expect(try await fixture.bring([pointer], to: place) == [:])
    try configure(server.url("shop.git/info/lfs"))
    try LargeFileFetch.store(of: place).remove(pointer)
    guard case .placeElsewhere? = try await fixture.bring([pointer], to: place)[pointer] else {
      Issue.record("a commit named a server")
      return
    }
  }

  @Test(.enabled(if: SSHServer.isAllowed, "there is no sshd"))
  func `an ssh host without Git LFS is named`() async throws {
    let ssh = try SSHServer(in: fixture.folder)
    let pointer = try FetchFixture.pointer(to: [1])
    let failures = try await fixture.bring([pointer], to: sshPlace(ssh))
    guard case .notOffered? = failures[pointer] else {
      Issue.record("\(failures)")
      return
    }
    #expect(failures[pointer]?.code == .upstreamMissing)
  }
}
