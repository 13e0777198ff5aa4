import Foundation
import IronMQ
import IronMQCarrier
import IronMQServer
import MessageFormat
import TestSupport
import Testing

/// The queues of one test, at a server of its own.
final class IronMQQueuesOfTest: BrokerOfTest {
  let server: ConformanceServer
  let tokenFile: String
  var requestSize = IronMQPlan.RequestSize.small
  var reservation = ReservationTimes()

  init(in folder: TemporaryFolder) throws {
    server = try ConformanceServer()
    tokenFile = try folder.file(ConformanceServer.token + "\n")
  }

  func plan() throws -> IronMQPlan {
    let address = try IronMQAddress(host: server.url, project: ConformanceServer.project)
    return IronMQPlan(address, tokenFile: tokenFile, requestSize: requestSize)
  }

  func broker() throws -> IronMQBroker { IronMQBroker(try plan(), reservation: reservation) }

  /// Hung up on in the middle of their work, all find it again with what it had.
  func restart() throws {
    server.stop()
    try server.begin()
  }

  func end() { server.stop() }

  func renew(_ mailbox: Mailbox) { server.makeQueue(mailbox.ironQueue.text) }

  func waitingCount(in mailbox: Mailbox) -> Int { server.count(in: mailbox.ironQueue.text) ?? 0 }

  /// As somebody else who has the token.
  func publish(_ messages: [[UInt8]], into mailbox: Mailbox) {
    server.put(
      messages.map { Data($0).base64EncodedString() }, into: mailbox.ironQueue.text)
  }

  func count(of kind: LineFaults.Kind, status: Int? = nil) -> Int {
    server.entries.count {
      LineFaults.Kind($0.request) == kind && (status == nil || $0.status == status)
    }
  }

  /// What belongs to connections that were cut comes back when its reservations end: whenever nothing happens at the
  /// server for a while, that time is over.
  func wait(
    for machine: CarrierMachine, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
  ) throws {
    let end = ContinuousClock.now + patience
    var last = activity
    while try !machine.waits(for: .seconds(2), condition) {
      try #require(
        .now < end, "\(machine.current) \(server.entries.suffix(20).map(\.summary))",
        sourceLocation: sourceLocation)
      let now = activity
      if now == last { server.advance(by: .seconds(reservation.seconds + 1)) }
      last = now
    }
  }

  private var activity: Int { server.entries.count { LineFaults.Kind($0.request) != .touch } }

  /// IronMQ takes a list of none for the word to clear the queue.
  func expectNothingCleared(sourceLocation: SourceLocation = #_sourceLocation) {
    let clearing = server.entries.filter {
      $0.request.method == "DELETE" && $0.request.path.hasSuffix("/messages")
        && !String(decoding: $0.request.body, as: UTF8.self).hasPrefix(#"{"ids":[{"id":""#)
    }
    #expect(clearing.isEmpty, sourceLocation: sourceLocation)
  }
}
