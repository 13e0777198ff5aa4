import BrokerCarrier
import CarrierProtocol
import NATS
import NATSCarrier
import TestSupport
import Testing

/// Three servers, of which one after the other dies under a stream of messages.
@Suite(.serialized, .enabled(if: NATSServer.absence == nil, "nats-server is not installed"))
struct NATSClusterTests {
  private let folder: TemporaryFolder
  private let servers: [NATSServer]
  private let streams: NATSStreamsOfTest
  private let trial: ClusterTrial

  init() throws {
    let folder = try TemporaryFolder()
    self.folder = folder
    servers = try NATSServer.cluster()
    streams = try NATSStreamsOfTest(servers)
    trial = try ClusterTrial(in: folder)
  }

  @Test func `one server after the other dies and nothing is lost or comes twice`() throws {
    try trial.run(
      by: { BrokerCarrier(try streams.broker(), timeouts: CarrierFixture.timeouts) },
      kill: { servers[$0].kill() }, start: { try servers[$0].start() }, isWhole: isWhole,
      states: states)
  }

  /// What became of each reader's mail, and what the servers say.
  private func states() -> [String] {
    let words = ["leader", "quorum", "stalled", "corrupt", "reset", "not current"]
    return trial.states
      + servers.map { server in
        let lines = server.log.split(separator: "\n").filter { line in
          words.contains { line.contains($0) }
        }
        return lines.suffix(20).joined(separator: "\n")
      }
  }

  /// All copies of all streams are there again.
  private func isWhole() throws -> Bool {
    do {
      return try streams.using { line in
        try trial.readers.allSatisfy {
          try line.stream(NATSNames.stream(of: $0.mailbox))?.isWhole == true
        }
      }
    } catch is NATSError {
      // A stream whose leader died has none for a moment.
      return false
    }
  }
}
