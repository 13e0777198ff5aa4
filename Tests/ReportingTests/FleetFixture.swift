import Foundation
import GRDB
import GitModel
import Mailboxes
import MessageFormat
import Reporting
import Sealing
import Signer
import Synchronization
import TestSupport
import Testing

/// A signer's state with machines that say what the test wants, and what reports it.
final class FleetFixture: Sendable {
  static let remote = "git@example.org:acme/shop.git"

  let folder: TemporaryFolder
  let outbox: Outbox
  let log = TestLog()
  let names: [String]
  let stream: StreamName
  let settings: SignerSettings
  private let mailboxes: [String: Mailbox]
  private let progress = Mutex(Progress())
  private struct Progress {
    var reporter: Reporter?
    var sequence: Int64 = 0
    var time: Int64 = 1_700_000_000_000
  }

  private var database: DatabaseQueue { outbox.store.state.queue }

  /// `path`: a repository, where one is looked at.
  init(
    _ names: [String] = ["web1", "web2"], path: String = "/none", branch: String = "main"
  ) async throws {
    // A thousand of them take a while, and others answer requests on this thread.
    let machines = try await onThread { try names.map { try TestIdentity.make($0).public } }
    mailboxes = Dictionary(uniqueKeysWithValues: zip(names, machines.map(\.mailbox)))
    folder = try TemporaryFolder()
    self.names = names
    let state = folder.path + "/signer"
    outbox = try Outbox(directory: state)
    let remote = try RemoteName(Self.remote)
    let branch = try #require(BranchName(branch))
    stream = StreamName(remote: remote, branch: branch)
    settings = SignerSettings(
      identity: try TestIdentity.make("signer"), state: state, carriers: [],
      repositories: [
        SignerRepository(
          path: path, remote: remote, branches: [branch],
          recipients: machines, history: .tip)
      ], lifetimeMilliseconds: 1_000)
  }

  deinit {
    let (reporter, folder) = (progress.withLock { $0.reporter }, folder)
    guard let reporter else { return }
    Thread {
      reporter.stop()
      withExtendedLifetime(folder) {}
    }.start()
  }

  /// Returns when notices have had their first look, which tells of problems alone.
  func start(
    statuses: [StatusTarget] = [], notices: [NoticeRoute] = [], staleSeconds: UInt64 = 600
  ) async throws {
    try await stop()
    let reporter = try await onThread { [settings, outbox, log] in
      try Reporter(
        ReportingSettings(statuses: statuses, notices: notices, staleSeconds: staleSeconds),
        signer: settings, outbox: outbox, log: log.logger,
        now: { Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000)) })
    }
    progress.withLock { $0.reporter = reporter }
    guard !notices.isEmpty else { return }
    let hasLooked = try await becomesTrueLater { [self] in
      let count = try reporting { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM machine") }
      return count == names.count
    }
    try #require(hasLooked, "\(log.lines)")
  }

  /// Its threads are waited for beside those that answer requests.
  func stop() async throws {
    let reporter = progress.withLock { progress in
      defer { progress.reporter = nil }
      return progress.reporter
    }
    try await onThread { reporter?.stop() }
  }

  func secret(_ text: String) throws -> String { try folder.file(text + "\n") }

  func target(
    _ host: CodeHost, _ url: String, token: String? = nil, machines: Bool = true,
    deployments: Bool = false, link: String? = nil
  ) throws -> StatusTarget {
    let project = try #require(CodeProject(remote: Self.remote, of: host))
    return StatusTarget(
      remote: stream.remote, host: host, api: try .init(url + host.apiPath),
      tokenFile: try token ?? secret("token-1"), project: project, showsMachines: machines,
      makesDeployments: deployments, link: link)
  }

  // MARK: - What happens

  static func revision(_ number: Int) -> ObjectID {
    guard let id = ObjectID(hex: String(format: "%040x", number)) else {
      preconditionFailure("40 digits are an id")
    }
    return id
  }

  /// A try to fetch from an upstream.
  func fetch(_ url: String, failure: String?) {
    progress.withLock { $0.reporter }?.note(upstream: url, failure: failure)
  }

  private func wake() { progress.withLock { $0.reporter }?.wake() }

  private func tick() -> Int64 {
    progress.withLock { progress in
      progress.time += 1_000
      return progress.time
    }
  }

  /// A message to all that leads to a revision, stored at a carrier.
  func push(_ revision: ObjectID) throws {
    let time = tick()
    let sequence = progress.withLock { progress in
      progress.sequence += 1
      return progress.sequence
    }
    let message = Data(repeating: UInt8(truncatingIfNeeded: sequence), count: 32)
    try database.write { database in
      try database.execute(
        sql: """
          INSERT INTO stream (remote, ref, sequence, revision, tree, digest) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (remote, ref) DO UPDATE SET sequence = ?3, revision = ?4, tree = ?5
          """,
        arguments: [
          stream.remote, stream.branch, sequence, revision, revision, Data(count: 32),
        ])
      let number = try Int64.fetchOne(database, sql: "SELECT id FROM stream")
      try database.execute(
        sql: "INSERT INTO sent VALUES (?, ?, ?, NULL, ?, ?, 'patch', 1, ?)",
        arguments: [message, number, sequence, revision, revision, time])
      for name in names {
        let mailbox = mailboxes[name]
        try database.execute(
          sql: "INSERT OR IGNORE INTO recipient (stream, mailbox, name) VALUES (?, ?, ?)",
          arguments: [number, mailbox, name])
        try database.execute(
          sql: """
            INSERT INTO answer (message, recipient, stream, sequence, state)
            VALUES (?, ?, ?, ?, 'stored')
            """, arguments: [message, mailbox, number, sequence])
      }
    }
    wake()
  }

  /// These machines have applied the newest message.
  func apply(_ names: String...) throws { try apply(names) }

  func apply(_ names: [String]) throws {
    let time = tick()
    try database.write { database in
      for name in names {
        let mailbox = mailboxes[name]
        try database.execute(
          sql: "UPDATE answer SET state = 'applied' WHERE recipient = ? AND state = 'stored'",
          arguments: [mailbox])
        try database.execute(
          sql: """
            UPDATE recipient SET standing = 'applied', seenAt = ?2,
            (revision, tree) = (SELECT revision, tree FROM stream) WHERE mailbox = ?1
            """, arguments: [mailbox, time])
      }
    }
    wake()
  }

  func refuse(_ name: String, _ refusal: String = "local-changes", detail: String = "secret.txt")
    throws
  {
    let time = tick()
    try database.write { database in
      let mailbox = mailboxes[name]
      try database.execute(
        sql: """
          UPDATE answer SET state = 'refused', refusal = ?2, detail = ?3
          WHERE recipient = ?1 AND state = 'stored'
          """, arguments: [mailbox, refusal, detail])
      try database.execute(
        sql: """
          UPDATE recipient SET standing = 'refused', refusal = ?2, refusalDetail = ?3,
          refusedAt = ?4, seenAt = ?4 WHERE mailbox = ?1
          """, arguments: [mailbox, refusal, detail, time])
    }
    wake()
  }

  /// A heartbeat that was sent so long after what was last heard.
  func beat(after seconds: Int64) throws {
    let time = progress.withLock { $0.time }
    try database.write { database in
      try database.execute(
        sql: "UPDATE stream SET heartbeatAt = ?", arguments: [time + seconds * 1_000])
    }
    wake()
  }

  /// The reporter's own state.
  func reporting<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var configuration = Configuration()
    configuration.busyMode = .timeout(60)
    let queue = try DatabaseQueue(
      path: settings.state + "/reporting/state.sqlite", configuration: configuration)
    return try queue.write(body)
  }
}

extension HTTPReceiver.Request {
  /// `context state` of a status.
  func line() throws -> String {
    let name = try field("context") ?? field("name") ?? field("key") ?? "-"
    return "\(name) \(try field("state") ?? "-")"
  }
}

extension HTTPReceiver {
  func lines() throws -> [String] { try requests.map { try $0.line() } }
}

/// What was logged comes to that.
func requireLog(
  _ fleet: FleetFixture, _ isThere: @escaping @Sendable ([String]) -> Bool
) async throws {
  let log = fleet.log
  let isLogged = try await becomesTrueLater { isThere(log.lines) }
  try #require(isLogged, "\(log.lines)")
}
