import Foundation
import Host
import MessageFormat
import Sodium
import TestSupport
import ZeroMQ

/// (i): clients that are connected and wait for mail, each with an identity of its own, at a relay; and as many that only
/// are connected, at a bare ROUTER.
struct IdleRow {
  let workspace: Workspace
  let scale: Scale

  /// Of a server, for what it needs besides.
  private static let spareDescriptorCount = 200

  private struct Figures {
    let memoryEach: Double
    let share: Double
    let connected: Double
  }

  private var count: Int { scale.isShort ? 1_000 : 10_000 }
  private var watch: Int { scale.isShort ? 5 : 60 }

  func measure() throws -> [Measurement] {
    let descriptorCount = Int(clamping: try DescriptorLimit.raise())
    guard descriptorCount >= count + Self.spareDescriptorCount else {
      Bench.say("(i) left out: \(count) connections, and \(descriptorCount) files may be open")
      return []
    }
    // A socket of libzmq's has two.
    let perProcess = (descriptorCount - Self.spareDescriptorCount) / 2
    let bare = try atBareRouter(perProcess)
    let relay = try atRelay(perProcess)
    return [
      Measurement(
        name: "(i) relay: memory of each of \(count) clients that wait, and at a bare ROUTER",
        ours: kibibytes(relay.memoryEach), theirs: kibibytes(bare.memoryEach),
        ratio: relay.memoryEach / bare.memoryEach, goal: .atMost(2),
        notes: [
          "all connected within \(number(relay.connected)) s, and \(number(bare.connected)) s"
        ]
      ),
      Measurement(
        name: "(i) relay: processor time over \(watch) s with them, and of one core",
        ours: "\(number(relay.share * 100)) %", theirs: "100 %", ratio: relay.share,
        goal: .atMost(0.1), notes: ["a bare ROUTER: \(number(bare.share * 100)) %"]),
    ]
  }

  private func kibibytes(_ byteCount: Double) -> String { number(byteCount / 1_024) + " KiB" }

  private func atRelay(_ perProcess: Int) throws -> Figures {
    let relay = try RelayProgram(
      in: workspace, signers: ["signer"], appliers: (0..<count).map(IdleClients.name))
    return try measure(
      relay.program, with: clients(perProcess, doing: .collect, at: relay.appliersEndpoint))
  }

  private func atBareRouter(_ perProcess: Int) throws -> Figures {
    let router = try child([BareRouter.mode, "\(count)"], output: "router")
    defer { router.stop() }
    let endpoint = try router.line(with: "tcp://")
    return try measure(router, with: clients(perProcess, doing: .nothing, at: endpoint))
  }

  private func measure(
    _ server: Program, with start: @autoclosure () throws -> [Program]
  ) throws -> Figures {
    let before = try server.memory
    let begin = ContinuousClock.now
    let clients = try start()
    defer { for client in clients { client.stop() } }
    for client in clients { _ = try client.line(with: IdleClients.ready) }
    let connected = seconds(ContinuousClock.now - begin)
    Thread.sleep(forTimeInterval: 1)
    let time = try server.processorTime
    let watchBegin = ContinuousClock.now
    Thread.sleep(forTimeInterval: Double(watch))
    let share = (try server.processorTime - time) / seconds(ContinuousClock.now - watchBegin)
    let memory = try server.memory
    for client in clients where !client.isRunning { try client.wait() }
    return Figures(
      memoryEach: Double(memory - before) / Double(count), share: share, connected: connected)
  }

  private func clients(
    _ perProcess: Int, doing what: IdleClients.Occupation, at endpoint: String
  ) throws -> [Program] {
    try stride(from: 0, to: count, by: perProcess).map { first in
      try child(
        [
          IdleClients.mode, what.rawValue, endpoint, "\(first)",
          "\(min(perProcess, count - first))",
        ], output: "clients-\(first)")
    }
  }

  /// This program in a process of its own, so that a server's memory and time are its alone.
  private func child(_ arguments: [String], output: String) throws -> Program {
    let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    return try Program(
      [path] + arguments, in: workspace.path, output: workspace.path(output),
      environment: workspace.environment)
  }
}
