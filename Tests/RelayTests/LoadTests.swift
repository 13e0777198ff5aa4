import Foundation
import Host
import MessageFormat
import Sodium
import TestSupport
import Testing
import Threads
import ZeroMQ

/// Much traffic and many connections, on the program itself: DISTRO_RELAY_LOAD=1 runs them, since they take minutes and
/// the whole machine. They print what they measure.
@Suite(
  .serialized,
  .enabled(if: ProcessInfo.processInfo.environment["DISTRO_RELAY_LOAD"] != nil, "takes minutes"))
struct LoadTests {
  private static let clientCount = 16
  private static let depositCount = 2_000
  private static let underWayMax = 16

  @Test func `deposits of sixteen clients`() throws {
    let names = (0..<Self.clientCount).map { "signer\($0)" }
    let relay = try RelayProcess(signers: names, appliers: ["reader"])
    let reader = TestIdentity.mailbox("reader")
    let before = try relay.cpuSeconds()
    let start = ContinuousClock.now
    let threads = try names.enumerated().map { index, name in
      let letters = (0..<Self.depositCount).map {
        Letter(UInt32(index * Self.depositCount + $0), payloadByteCount: 500, for: [reader])
      }
      let visitor = try relay.visitor(name, atSigners: true)
      return try Self.depositing(letters, for: reader, over: visitor)
    }
    for thread in threads { thread.join() }
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let count = Double(Self.clientCount * Self.depositCount)
    let size = Letter(0, payloadByteCount: 500, for: [reader]).size.byteCount
    let cpu = try relay.cpuSeconds() - before
    let rate = Int(count / seconds)
    say("\(Int(count)) deposits of \(size) bytes: \(rate) a second, \(cpu) s of CPU")
    #expect(count / seconds > 500)
  }

  private static func depositing(
    _ letters: [Letter], for reader: Mailbox, over visitor: RelayVisitor
  ) throws -> LoopThread {
    let box = Box(visitor)
    return try LoopThread {
      do {
        var (next, stored) = (0, 0)
        while stored < letters.count {
          while next < letters.count, next - stored < underWayMax {
            try box.value.sendAll(letters[next], for: [reader])
            next += 1
          }
          let reply = try #require(try box.value.reply())
          if case .stored = reply { stored += 1 }
          if case .refused = reply { preconditionFailure("\(reply)") }
        }
      } catch { preconditionFailure("\(error)") }
    }
  }

  /// Sockets that connect to many addresses of the loopback, since libzmq connects once to each.
  @Test func `ten thousand idle connections`() throws {
    try DescriptorLimit.raise()
    let count = 10_000
    let relay = try RelayProcess(signers: ["alice"], appliers: ["reader"], host: "0.0.0.0")
    let port = try #require(relay.appliersEndpoint.split(separator: ":").last)
    let memory = try relay.memoryByteCount()
    let start = ContinuousClock.now
    var visitors: [RelayVisitor] = []
    for group in 0..<20 {
      let first = "tcp://127.1.\(group).1:\(port)"
      let visitor = try relay.visitor("reader", atSigners: false, at: first)
      for number in 2...count / 20 {
        let (third, last) = (group + 20 * (number / 250), number % 250 + 1)
        try visitor.connect("tcp://127.1.\(third).\(last):\(port)")
      }
      for _ in 0..<count / 20 { #expect(try visitor.wait { $0 == .handshakeSucceeded }) }
      for _ in 0..<count / 20 { try visitor.send(RunningRelayTests.wait) }
      visitors.append(visitor)
    }
    let connected = ContinuousClock.now - start
    let cpu = try relay.cpuSeconds()
    Thread.sleep(forTimeInterval: 20)
    let each = (try relay.memoryByteCount() - memory) / count
    let share = (try relay.cpuSeconds() - cpu) / 20 * 100
    say("\(count) connections after \(connected): \(each) bytes each, \(share) % of a core")
    let empty = ContinuousClock.now
    let before = try relay.cpuSeconds()
    for visitor in visitors {
      for _ in 0..<count / 20 { #expect(try visitor.reply(within: .seconds(90)) == .empty) }
    }
    let told = try relay.cpuSeconds() - before
    say("told that there is nothing within \(ContinuousClock.now - empty), \(told) s of CPU")
    // One message to the last identity, whose connections all wait.
    for visitor in visitors { try visitor.send(RunningRelayTests.wait) }
    let sender = try relay.visitor("alice", atSigners: true)
    let letter = Letter(1, for: [visitors[0].mailbox])
    let delivered = ContinuousClock.now
    #expect(try sender.deposit(letter, for: [visitors[0].mailbox]) == .stored(letter.id))
    for visitor in visitors { #expect(try visitor.nextDelivery() == letter.id) }
    say("one message delivered to 20 of them after \(ContinuousClock.now - delivered)")
  }

  private func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

private final class Box: @unchecked Sendable {
  let value: RelayVisitor
  init(_ value: RelayVisitor) { self.value = value }
}

extension RelayVisitor {
  fileprivate func sendAll(_ letter: Letter, for mailboxes: [Mailbox]) throws {
    try send(.deposit(letter.offer(for: mailboxes)))
    for (index, chunk) in letter.chunks.enumerated() {
      try send(.chunk(ChunkName(id: letter.id, index: UInt32(index))), chunk: chunk)
    }
  }
}

/// The program, with directories of its own.
final class RelayProcess {
  private let folder: PipelineFolder
  private let process = Process()
  private let context: Context
  private let key: CurvePublicKey
  let signersEndpoint: String
  let appliersEndpoint: String

  init(signers: [String], appliers: [String], host: String = "127.0.0.1") throws {
    folder = try PipelineFolder()
    context = try Context(socketCountMax: 1_000)
    for (directory, names) in [("signers", signers), ("appliers", appliers)] {
      try FileManager.default.createDirectory(
        atPath: folder.path(directory), withIntermediateDirectories: false)
      for name in names {
        try folder.write("\(directory)/\(name).pub", TestIdentity.make(name).public.line + "\n")
      }
    }
    let identity = try TestIdentity.make("relay")
    key = try CurvePublicKey(identity.public.transportKey.bytes)
    _ = try KeyFile.create(identity, inDirectory: folder.path, passphrase: nil)
    try folder.write(
      "relay.yaml",
      """
      identity: relay.key
      state: var
      relay:
        signers: tcp://\(host):*
        appliers: tcp://\(host):*
        trusted-signers: signers
        trusted-appliers: appliers
      """)
    let errors = Pipe()
    process.executableURL = Bundle.main.bundleURL.appendingPathComponent("distro")
    process.arguments = ["relay", "--config", folder.path("relay.yaml")]
    process.standardError = errors
    try process.run()
    var text = ""
    while !text.contains("event=listening") || !text.hasSuffix("\n") {
      let data = errors.fileHandleForReading.availableData
      try #require(!data.isEmpty, "\(text)")
      text += String(decoding: data, as: UTF8.self)
    }
    func endpoint(_ name: String) throws -> String {
      let value = try #require(
        text.split(whereSeparator: \.isWhitespace).first { $0.hasPrefix(name + "=tcp") })
      return String(value.dropFirst(name.count + 1)).replacing("0.0.0.0", with: "127.0.0.1")
    }
    signersEndpoint = try endpoint("signers")
    appliersEndpoint = try endpoint("appliers")
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }

  func visitor(_ name: String, atSigners: Bool, at endpoint: String? = nil) throws -> RelayVisitor {
    try RelayVisitor(
      name, to: endpoint ?? (atSigners ? signersEndpoint : appliersEndpoint), of: key, in: context)
  }

  /// utime and stime of proc(5), in ticks of 10 ms.
  func cpuSeconds() throws -> Double {
    let text = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
    let fields = text.split(separator: " ")
    return ((Double(fields[13]) ?? 0) + (Double(fields[14]) ?? 0)) / 100
  }

  func memoryByteCount() throws -> Int {
    let text = try String(
      contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
    return (Int(text.split(separator: " ")[1]) ?? 0) * 4_096
  }
}
