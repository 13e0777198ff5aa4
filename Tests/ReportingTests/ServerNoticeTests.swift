import Foundation
import GRDB
import Reporting
import TestSupport
import Testing
import WebClient

/// Servers that the signer needs, and people who are told that they are away.
@Suite struct ServerNoticeTests {
  private static let url = "ssh://git@example.org/shop.git"
  private let receiver: HTTPReceiver
  private let fleet: FleetFixture

  init() async throws {
    receiver = try HTTPReceiver()
    fleet = try await FleetFixture(["web1"])
    try fleet.push(FleetFixture.revision(1))
  }

  private func start(staleSeconds: UInt64 = 1) async throws {
    try await fleet.start(notices: [try route()], staleSeconds: staleSeconds)
  }

  private func route() throws -> NoticeRoute {
    NoticeRoute(
      [.applied, .hostUnreachable, .recovered],
      .webhook(try WebAddress(receiver.url), secretFile: try fleet.secret("secret"), WebSettings()),
      digestSeconds: 0)
  }

  private func kinds() throws -> [String] {
    try receiver.requests.map(\.body).flatMap { body in
      try JSONDecoder().decode(Notice.self, from: Data(body.utf8)).events.map {
        "\($0.kind.rawValue) \($0.subject)"
      }
    }
  }

  /// Tries follow each other until something is told.
  private func fetch(_ failure: String?, until wanted: String) async throws {
    let isTold = try await becomesTrueLater { [self] in
      fleet.fetch(Self.url, failure: failure)
      return try kinds().contains(wanted)
    }
    let log = fleet.log
    #expect(isTold, "\(log.lines)")
  }

  @Test func `an upstream that stays away is told once, and its return`() async throws {
    try await start()
    try await fetch("connection refused", until: "host-unreachable \(Self.url)")
    try await fetch("connection refused", until: "host-unreachable \(Self.url)")
    try await fetch(nil, until: "recovered \(Self.url)")
    #expect(try kinds().count == 2)
    #expect(receiver.requests.first?.body.contains("connection refused") == true)
  }

  @Test func `one failed try, or a short time of them, is told to nobody`() async throws {
    try await start(staleSeconds: 600)
    for _ in 1...20 { fleet.fetch(Self.url, failure: "connection refused") }
    fleet.fetch(Self.url, failure: nil)
    // What happens after it is told behind it.
    try fleet.apply("web1")
    let isTold = try await becomesTrueLater { [self] in
      try kinds().contains("applied web1")
    }
    #expect(isTold)
    #expect(try kinds() == ["applied web1"])
  }

  @Test func `the status shows what cannot be fetched until it can`() async throws {
    try await start(staleSeconds: 600)
    fleet.fetch(Self.url, failure: "connection refused")
    let settings = ReportingSettings(statuses: [], notices: [try route()])
    let state = fleet.settings.state
    let isThere = try await becomesTrueLater {
      let troubles = try ReportingSummary(settings, signerState: state).troubles
      return troubles.count == 1
        && troubles.allSatisfy {
          $0.kind == .notFetched && $0.subject == Self.url && $0.text == "connection refused"
        }
    }
    #expect(isThere)
    fleet.fetch(Self.url, failure: nil)
    let isGone = try await becomesTrueLater {
      try ReportingSummary(settings, signerState: state).troubles.isEmpty
    }
    #expect(isGone)
  }

  @Test func `a server that is configured no more is forgotten`() async throws {
    try await start(staleSeconds: 600)
    fleet.fetch(Self.url, failure: "connection refused")
    let isThere = try await becomesTrueLater { [fleet] in
      try fleet.reporting { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM host") } == 1
    }
    try #require(isThere)
    try await start(staleSeconds: 600)
    let count = try fleet.reporting { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM host") }
    #expect(count == 0)
  }
}
