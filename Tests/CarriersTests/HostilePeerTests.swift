import CarrierProtocol
import Foundation
import MessageFormat
import TestSupport
import Testing
import Threads
import ZeroMQ

/// What one peer does, allowed or not, costs no other its service and this machine no memory without bound.
@Suite struct HostilePeerTests {
  private let server: Server

  init() throws { server = try Server() }

  private func expectService(_ number: UInt32 = 1) throws {
    let letter = Letter(number, payloadByteCount: 1_000)
    let bob = try server.connect(server.bob)
    try bob.put(letter, for: [server.machine.mailbox])
    try bob.wait { $0.stored == [letter.id] }
    try server.requireStored(letter)
  }

  private func reply(to frames: [[UInt8]], over socket: borrowing Socket) throws -> CarrierReply {
    try #require(try socket.send(frames, by: .after(patience)) == .sent)
    return try reply(over: socket)
  }

  private func reply(over socket: borrowing Socket) throws -> CarrierReply {
    guard case .message(let frames, _) = try socket.receive(by: .after(patience)) else {
      throw Silence()
    }
    return try CarrierReply(decoding: frames[0].bytes)
  }

  private struct Silence: Error {}

  @Test func `connections that say nothing keep nobody out`() throws {
    let silent = try (0..<50).map { _ in try RawConnection(to: server.endpoint) }
    try expectService()
    #expect(silent.count == 50)
  }

  @Test(arguments: [
    Array("GET / HTTP/1.1\r\n\r\n".utf8), [UInt8](repeating: 0xff, count: 10_000),
    [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8)
      + Array(repeating: 0, count: 48),
  ])
  func `bytes that are no protocol end their own connection only`(_ bytes: [UInt8]) throws {
    let raw = try RawConnection(to: server.endpoint)
    try raw.send(bytes)
    try expectService()
  }

  @Test func `garbage from an allowed peer is answered and forgotten`() throws {
    let socket = try Visitor(server).socket()
    let garbage: [[[UInt8]]] = [
      [[]], [[0xff, 0xff]], [[1], [2]], [[UInt8](repeating: 7, count: 60_000)],
    ]
    for frames in garbage {
      guard case .refused(nil, .malformed, _, _) = try reply(to: frames, over: socket) else {
        Issue.record("\(frames[0].prefix(5))")
        continue
      }
    }
    try expectService()
  }

  @Test func `too many frames are thrown away`() throws {
    let socket = try Visitor(server).socket()
    let request = CarrierRequest.collect(after: 0, credit: 1, waitMilliseconds: 0).encoded()
    try #require(try socket.send([request, [1], [2], [3]], by: .after(patience)) == .sent)
    // The next request is answered: by what is there, not by an echo of the first.
    #expect(try reply(to: [request], over: socket) == .empty)
    try expectService()
  }

  @Test func `frame over the limit ends the connection`() throws {
    let socket = try Visitor(server).socket(frameByteCountMax: 1 << 20)
    let monitor = try Monitor(socket)
    let tooLong = [UInt8](repeating: 7, count: Limits.chunkByteCountMax + 1)
    try #require(try socket.send([tooLong], by: .after(patience)) == .sent)
    let deadline = Deadline.after(patience)
    var isCut = false
    while !isCut, let event = try monitor.next(by: deadline) { isCut = event.kind == .disconnected }
    #expect(isCut)
    try expectService()
  }

  @Test func `half a message is never a message`() throws {
    let letter = Letter(9, payloadByteCount: 1_000_000)
    do {
      let socket = try Visitor(server).socket()
      let offer = CarrierRequest.deposit(letter.offer(for: [server.machine.mailbox])).encoded()
      guard case .proceed = try reply(to: [offer], over: socket) else {
        Issue.record("no proceed")
        return
      }
      for index in 0..<letter.chunks.count - 1 {
        let name = CarrierRequest.chunk(ChunkName(id: letter.id, index: UInt32(index))).encoded()
        let outcome = try socket.send([name, letter.chunks[index]], by: .after(patience))
        try #require(outcome == .sent)
      }
      // Answered after all that came before it.
      let request = CarrierRequest.collect(after: 0, credit: 1, waitMilliseconds: 0).encoded()
      #expect(try reply(to: [request], over: socket) == .empty)
    }
    try expectService()
    #expect(try server.store.message(letter.id, in: server.machine.mailbox) == nil)
    #expect(try server.store.state.spool.names() == [])
  }

  /// DISTRO_HOSTILE_COUNT says how many; in a process of its own, whose memory nothing else uses.
  @Test func `flood of tiny requests keeps nobody out and memory bounded`() async {
    await #expect(processExitsWith: .success) {
      let environment = ProcessInfo.processInfo.environment["DISTRO_HOSTILE_COUNT"]
      let count = environment.flatMap { Int($0) } ?? 20_000
      try Flood.run(count: count)
    }
  }
}

/// An allowed peer that asks without end and reads no answer.
enum Flood {
  private static let byteCountMax = 64 << 20

  static func run(count: Int) throws {
    let server = try Server()
    for number in 1...3 {
      try server.putMail(Letter(UInt32(number), payloadByteCount: 50_000), for: server.alice)
    }
    let bob = try server.connect(server.bob)
    try bob.put(Letter(100), for: [server.machine.mailbox])
    try bob.wait { $0.stored.count == 1 }
    let before = try peakByteCount()
    let visitor = try Visitor(server)
    let finished = Counter()
    let thread = try LoopThread {
      do { try ask(count, as: visitor) } catch { preconditionFailure("\(error)") }
      finished.add()
    }
    var number: UInt32 = 1_000
    while finished.value == 0 || number < 1_010 {
      try bob.put(Letter(number), for: [server.machine.mailbox])
      // The other client is served.
      try bob.wait { $0.stored.last == Letter(number).id }
      number += 1
    }
    thread.join()
    let growth = try peakByteCount() - before
    precondition(growth < byteCountMax, "memory grew by \(growth) bytes")
  }

  private static func ask(_ count: Int, as visitor: Visitor) throws {
    let requests: [[[UInt8]]] = [
      [CarrierRequest.collect(after: 0, credit: 32, waitMilliseconds: 0).encoded()], [[0xff]],
      [CarrierRequest.collect(after: 0, credit: 32, waitMilliseconds: 60_000).encoded()],
    ]
    let socket = try visitor.socket()
    for number in 0..<count {
      let outcome = try socket.send(requests[number % 3], by: .after(patience))
      precondition(outcome == .sent, "the listener goes on reading")
    }
  }

  /// VmHWM of proc(5).
  private static func peakByteCount() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    let kilobytes = try #require(line.split(separator: " ").dropLast().last.flatMap { Int($0) })
    return kilobytes * 1_024
  }
}

/// An allowed identity whose socket keeps to no protocol of ours.
struct Visitor: Sendable {
  private let machine: Machine
  private let serverKey: CurvePublicKey
  private let context: Context
  private let endpoint: String

  init(_ server: Server) throws {
    machine = server.alice
    serverKey = server.machine.key
    context = server.context
    endpoint = server.endpoint
  }

  func socket(frameByteCountMax: Int = Limits.chunkByteCountMax) throws -> Socket {
    var options = SocketOptions()
    options.frameByteCountMax = frameByteCountMax
    options.linger = .zero
    let key = machine.key
    var socket: Socket?
    try machine.identity.withTransportSecret { secret in
      socket = try Socket(
        client: .dealer, in: context, serverKey: serverKey, publicKey: key, secret: secret,
        options: options)
    }
    guard let made = socket.take() else { preconditionFailure("the secret was not lent") }
    try made.connect(endpoint)
    return made
  }
}
