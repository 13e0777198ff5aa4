import Foundation
import Glibc
import Synchronization

/// A real RabbitMQ on ports of the loopback, and an epmd of its own, so that several may run side by side. Starting takes
/// seconds: a suite has one. Ended with its last reference, by process id.
package final class RabbitMQServer: Sendable {
  package static let password = "one-secret"
  private static let program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
  private static let tool = "/usr/lib/rabbitmq/bin/rabbitmqctl"

  /// Why there is none on this machine; `nil`: there is.
  package static var absence: String? {
    FileManager.default.isExecutableFile(atPath: program) && epmd != nil
      ? nil : "rabbitmq-server is not installed"
  }

  private static var epmd: String? {
    ["/usr/bin/epmd", "/usr/lib/erlang/bin/epmd"].first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  package let port: UInt16
  private let ports: (epmd: UInt16, nodes: UInt16)
  private let folder: PipelineFolder
  private let running = Mutex<(names: ServingProgram, broker: ServingProgram)?>(nil)

  package struct Absent: Error { package let reason: String }

  /// `configuration`: lines of rabbitmq.conf.
  package init(_ configuration: String = "", plugins: [String] = []) throws {
    if let reason = Self.absence { throw Absent(reason: reason) }
    folder = try PipelineFolder()
    port = try FreePort.take()
    ports = (try FreePort.take(), try FreePort.take())
    try folder.write(
      "rabbitmq.conf",
      """
      listeners.tcp.1 = 127.0.0.1:\(port)
      default_user = distro
      default_pass = \(Self.password)
      disk_free_limit.absolute = 1MB
      raft.wal_max_size_bytes = 67108864
      log.console = true
      log.console.level = info
      log.file = false
      \(configuration)

      """)
    try folder.write("plugins", "[\(plugins.joined(separator: ","))].\n")
    try start()
  }

  deinit { kill() }

  package var url: String { "amqp://distro@127.0.0.1:\(port)/" }

  /// With what it had on its disk.
  package func start() throws {
    guard let epmd = Self.epmd else { throw Absent(reason: "epmd is not installed") }
    let names = try ServingProgram(
      ["/usr/bin/env", epmd, "-d", "-port", "\(ports.epmd)", "-address", "127.0.0.1"], in: folder,
      log: "epmd.log", until: "epmd running")
    let broker = try ServingProgram(
      ["/usr/bin/env"] + environment + [
        "RABBITMQ_ALLOW_INPUT=1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -start_epmd false +S 1:1", Self.program,
      ], in: folder, log: "rabbitmq.log", until: "Server startup complete")
    running.withLock { $0 = (names, broker) }
  }

  /// When a queue was made last.
  private let declared = Mutex(Date.distantPast)

  package func noteDeclaration() { declared.withLock { $0 = Date() } }

  /// RabbitMQ says that a quorum queue was made before the list of its queues is on the disk: one that is killed in that
  /// half second has lost the queue, and answers with 541 for ever. Returns when all are there.
  package func waitForQueues() {
    let list = folder.path("data/t\(port)@localhost/quorum/t\(port)@localhost/names.dets")
    let declared = declared.withLock { $0 }
    _ = becomesTrue {
      let changed =
        try? FileManager.default.attributesOfItem(atPath: list)[.modificationDate] as? Date
      guard let changed else { return false }
      return changed >= declared && changed.timeIntervalSinceNow < -1
    }
  }

  /// As a power cut does, but for what the kernel has.
  package func kill() {
    let programs = running.withLock { $0.take() }
    programs?.broker.end()
    programs?.names.end()
  }

  package var log: String { running.withLock { $0?.broker.log ?? "" } }

  /// `rabbitmqctl`; returns what it says.
  @discardableResult
  package func control(_ arguments: String...) throws -> String {
    String(
      decoding: try Program.run(
        ["/usr/bin/env"] + environment + [Self.tool, "--quiet"] + arguments, home: folder.path),
      as: UTF8.self)
  }

  private var environment: [String] {
    [
      "HOME=\(folder.path)", "LC_ALL=C.UTF-8", "ERL_EPMD_PORT=\(ports.epmd)",
      "RABBITMQ_DIST_PORT=\(ports.nodes)", "RABBITMQ_NODENAME=t\(port)@localhost",
      "RABBITMQ_CONFIG_FILE=\(folder.path("rabbitmq.conf"))",
      "RABBITMQ_MNESIA_BASE=\(folder.path("data"))", "RABBITMQ_LOG_BASE=\(folder.path("log"))",
      "RABBITMQ_PID_FILE=\(folder.path("pid"))",
      "RABBITMQ_ENABLED_PLUGINS_FILE=\(folder.path("plugins"))", "RABBITMQ_CONF_ENV_FILE=/dev/null",
    ]
  }
}
