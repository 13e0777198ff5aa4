import Foundation
import Glibc
import Synchronization

/// A real RabbitMQ on ports of the loopback, with an epmd that no other cluster has, so that several may run side by side.
/// Starting takes seconds: a suite has one. Ended with its last reference, by process id.
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

  /// What the nodes of a cluster have in common: a home with the secret by which they know each other, and who says at which
  /// ports they are.
  private final class Names: Sendable {
    let folder: PipelineFolder
    let port: UInt16
    private let program: ServingProgram

    init() throws {
      guard let epmd = RabbitMQServer.epmd else { throw Absent(reason: "epmd is not installed") }
      (folder, port) = (try PipelineFolder(), try FreePort.take())
      program = try ServingProgram(
        ["/usr/bin/env", epmd, "-d", "-port", "\(port)", "-address", "127.0.0.1"], in: folder,
        log: "epmd.log", until: "epmd running")
    }

    deinit { program.end() }
  }

  package let port: UInt16
  private let nodePort: UInt16
  private let names: Names
  private let folder: PipelineFolder
  private let running = Mutex<ServingProgram?>(nil)

  package struct Absent: Error { package let reason: String }

  /// `configuration`: lines of rabbitmq.conf.
  package convenience init(_ configuration: String = "", plugins: [String] = []) throws {
    try self.init(port: FreePort.take(), names: Names(), configuration, plugins: plugins)
    try start()
  }

  /// A cluster, in which each queue is on three nodes.
  package static func cluster(_ count: Int = 3) throws -> [RabbitMQServer] {
    if let reason = absence { throw Absent(reason: reason) }
    let (names, ports) = (try Names(), try (0..<count).map { _ in try FreePort.take() })
    let list = zip(1..., ports).map {
      "cluster_formation.classic_config.nodes.\($0) = t\($1)@localhost"
    }
    let servers = try ports.map { port in
      try RabbitMQServer(port: port, names: names, list.joined(separator: "\n"))
    }
    for server in servers { try server.start() }
    return servers
  }

  private init(
    port: UInt16, names: Names, _ configuration: String, plugins: [String] = []
  ) throws {
    if let reason = Self.absence { throw Absent(reason: reason) }
    folder = try PipelineFolder()
    (self.port, self.names, nodePort) = (port, names, try FreePort.take())
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
  }

  deinit { kill() }

  package var url: String { "amqp://distro@127.0.0.1:\(port)/" }

  /// With what it had on its disk.
  package func start() throws {
    let broker = try ServingProgram(
      ["/usr/bin/env"] + environment + [
        "RABBITMQ_ALLOW_INPUT=1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -start_epmd false +S 1:1", Self.program,
      ], in: folder, log: "rabbitmq.log", until: "Server startup complete")
    running.withLock { $0 = broker }
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
  package func kill() { running.withLock { $0.take() }?.end() }

  package var log: String { running.withLock { $0?.log ?? "" } }

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
      "HOME=\(names.folder.path)", "LC_ALL=C.UTF-8", "ERL_EPMD_PORT=\(names.port)",
      "RABBITMQ_DIST_PORT=\(nodePort)", "RABBITMQ_NODENAME=t\(port)@localhost",
      "RABBITMQ_CONFIG_FILE=\(folder.path("rabbitmq.conf"))",
      "RABBITMQ_MNESIA_BASE=\(folder.path("data"))", "RABBITMQ_LOG_BASE=\(folder.path("log"))",
      "RABBITMQ_PID_FILE=\(folder.path("pid"))",
      "RABBITMQ_ENABLED_PLUGINS_FILE=\(folder.path("plugins"))", "RABBITMQ_CONF_ENV_FILE=/dev/null",
    ]
  }
}
