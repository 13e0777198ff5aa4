import Foundation
import Glibc
import Synchronization

/// A real nats-server with JetStream on a port of the loopback. Ended with its last reference, by process id.
package final class NATSServer: Sendable {
  private static let program = "/usr/sbin/nats-server"

  /// Why there is none on this machine; `nil`: there is.
  package static var absence: String? {
    FileManager.default.isExecutableFile(atPath: program) ? nil : "nats-server is not installed"
  }

  package struct Absent: Error { package let reason: String }

  package let port: UInt16
  private let folder: PipelineFolder
  private let running = Mutex<ServingProgram?>(nil)

  /// `configuration`: besides its address and JetStream; `storage`: what stands below `jetstream`.
  package convenience init(_ configuration: String = "", storage: String = "") throws {
    try self.init(port: FreePort.take(), configuration, storage: storage)
    try start()
  }

  private init(port: UInt16, _ configuration: String, storage: String) throws {
    if let reason = Self.absence { throw Absent(reason: reason) }
    folder = try PipelineFolder()
    self.port = port
    try folder.write(
      "nats.conf",
      """
      host: 127.0.0.1
      port: \(port)
      server_name: n\(port)
      jetstream { store_dir: "\(folder.path("data"))"
        \(storage)
      }
      \(configuration)

      """)
  }

  /// Three servers that keep each other's streams, in one cluster. They are ready once they have a leader.
  package static func cluster(_ count: Int = 3) throws -> [NATSServer] {
    let routes = try (0..<count).map { _ in try FreePort.take() }
    let list = routes.map { "\"nats-route://127.0.0.1:\($0)\"" }.joined(separator: ", ")
    let servers = try routes.map { route in
      try NATSServer(
        port: FreePort.take(),
        "cluster { name: test, host: 127.0.0.1, port: \(route), routes: [\(list)] }", storage: "")
    }
    for server in servers { try server.start() }
    return servers
  }

  deinit { kill() }

  package var url: String { "nats://127.0.0.1:\(port)" }

  /// With what it had on its disk.
  package func start() throws {
    let program = try ServingProgram(
      ["/usr/bin/env", Self.program, "-c", folder.path("nats.conf")], in: folder, log: "nats.log",
      until: "Server is ready")
    running.withLock { $0 = program }
  }

  /// As a power cut does, but for what the kernel has.
  package func kill() { running.withLock { $0.take() }?.end() }

  package var log: String { running.withLock { $0?.log ?? "" } }
}
