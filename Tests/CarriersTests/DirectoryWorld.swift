import CarrierProtocol
import DirectoryCarrier
import Foundation
import Host
import Logging
import Mailboxes
import MessageFormat
import SharedFiles
import Sodium
import Synchronization
import TestSupport
import Testing

/// The steps that change a directory, counted; from one of them on every step fails, as on a stick that is pulled out.
final class Stick: Sendable {
  private struct State {
    var steps: [FolderStep] = []
    var deadFrom: Int?
    var refused: [FolderStep: Int32] = [:]
  }

  private let state = Mutex(State())

  var steps: [FolderStep] { state.withLock { $0.steps } }

  func pullOut(at step: Int) { state.withLock { ($0.steps, $0.deadFrom) = ([], step) } }

  func plugIn() { state.withLock { ($0.deadFrom, $0.refused) = (nil, [:]) } }

  func refuse(_ steps: [FolderStep], with code: Int32) {
    state.withLock { state in for step in steps { state.refused[step] = code } }
  }

  var gate: FolderStep.Gate {
    { [self] (step) throws(FolderError) in
      let code: Int32? = state.withLock { state in
        state.steps.append(step)
        if let dead = state.deadFrom, state.steps.count > dead { return EIO }
        return state.refused[step]
      }
      if let code { throw .cannot(operation: step.rawValue, path: "stick", code: code) }
    }
  }
}

/// A machine that looks at a directory when a test says so; a new run each time.
final class DirectoryUser: Sendable {
  struct News: Sendable {
    var accepted: [MessageID] = []
    var delivered: [MessageID] = []
    var refused: [RefusedMessage] = []
  }

  let identity: Identity
  let store: MailboxStore
  private let news = Mutex(News())

  var mailbox: Mailbox { identity.public.mailbox }
  var current: News { news.withLock { $0 } }

  init(_ name: String, in folder: String) throws {
    identity = try TestIdentity.make(name)
    store = try MailboxStore(testing: folder + "/" + name)
  }

  @Sendable static func now() -> Timestamp {
    Timestamp(milliseconds: UInt64(Date().timeIntervalSince1970 * 1_000))
  }

  func port(
    with others: [DirectoryUser], now: @escaping @Sendable () -> Timestamp = now
  ) -> CarrierPort {
    var port = CarrierPort(
      mailbox: mailbox, correspondents: Set(others.map(\.mailbox)), store: store,
      byteCountMax: 1 << 30, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: now)
    let (accept, delivered) = (port.accept, port.delivered)
    port.accept = { [self] messages in
      try accept(messages)
      news.withLock { $0.accepted += messages.map(\.offer.id) }
    }
    port.delivered = { [self] waiting in
      try delivered(waiting)
      news.withLock { $0.delivered += waiting.map(\.message.id) }
    }
    port.refused = { [self] refusal in news.withLock { $0.refused.append(refusal) } }
    return port
  }

  /// A run that begins now.
  func run(
    _ path: String, with others: [DirectoryUser], remains: RemainsAge = .standard,
    now: @escaping @Sendable () -> Timestamp = now, gate: @escaping FolderStep.Gate = { _ in }
  ) -> DirectoryTraffic {
    DirectoryTraffic(
      port(with: others, now: now), DirectoryPlan(path: path, fileMebibytes: 1), remains: remains,
      gate: gate)
  }

  func look(
    at path: String, with others: [DirectoryUser],
    now: @escaping @Sendable () -> Timestamp = now, gate: @escaping FolderStep.Gate = { _ in }
  ) throws {
    try run(path, with: others, now: now, gate: gate).look()
  }

  func put(_ letter: Letter, for reader: DirectoryUser) throws {
    let message = try MessageWriter(
      letter.offer(for: [reader.mailbox]), from: mailbox, into: store)
    for chunk in letter.chunks { try message.append(chunk) }
    try store.commit([message], at: letter.time)
  }

  func has(_ letter: Letter) throws -> Bool {
    guard let message = try store.message(letter.id, in: mailbox) else { return false }
    return try message.chunks() == letter.chunks
  }
}

/// A sender, a reader, and directories between them.
struct DirectoryWorld {
  let path: String
  let alice: DirectoryUser
  let bob: DirectoryUser
  /// Where both look, unless a test has several.
  let stick: String

  /// Of an earlier world in the same place, or a new one.
  init(in path: String) throws {
    self.path = path
    alice = try DirectoryUser("alice", in: path)
    bob = try DirectoryUser("bob", in: path)
    stick = path + "/stick"
    try Self.make(stick)
  }

  static func make(_ path: String) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    _ = try CarriedDirectory.prepare(path)
  }

  func send(_ gate: @escaping FolderStep.Gate = { _ in }, by directory: String? = nil) throws {
    try alice.look(at: directory ?? stick, with: [bob], gate: gate)
  }

  func collect(_ gate: @escaping FolderStep.Gate = { _ in }, from directory: String? = nil) throws {
    try bob.look(at: directory ?? stick, with: [alice], gate: gate)
  }

  func letter(_ number: UInt32, _ payloadByteCount: Int = 100, slot: Slot? = nil) -> Letter {
    Letter(number, payloadByteCount: payloadByteCount, for: [bob.mailbox], slot: slot)
  }

  /// Files below a directory, without the marker and the folders.
  static func files(below directory: String) throws -> [String] {
    let files = FileManager.default
    return try files.subpathsOfDirectory(atPath: directory).filter {
      let type = try files.attributesOfItem(atPath: directory + "/" + $0)[.type]
      return type as? FileAttributeType != .typeDirectory && $0 != DirectoryLayout.markerName
    }.sorted()
  }

  /// Where alice's messages for bob lie.
  func messages(in directory: String? = nil) -> String {
    let short = { (user: DirectoryUser) in String(user.mailbox.hex.prefix(32)) }
    return "\(directory ?? stick)/mail/\(short(bob))/\(short(alice))"
  }

  /// Days later, when both have looked often enough, nothing is left but acknowledgements.
  func expectNothingLeft(in directories: [String]? = nil) throws {
    let remains = RemainsAge(temporary: -1, unfinished: -1)
    for directory in directories ?? [stick] {
      for (user, other) in [(alice, bob), (bob, alice), (alice, bob)] {
        try user.run(directory, with: [other], remains: remains).look()
      }
      let files = try Self.files(below: directory)
      #expect(files.allSatisfy { $0.hasSuffix("/acks") }, "\(directory): \(files)")
    }
  }
}
