import Host
import ServiceLifecycle

/// Everything that the program knows of one part that it can play: what it is called, whose configuration a file is, how
/// it is made, shown and examined. `all` is the only place that names them all.
struct Role: Sendable {
  /// Its key in the configuration of `distro serve`, and `role=` in the log.
  let name: String
  /// Whether a file is this role's configuration, told by a key that only it has.
  let recognizes: @Sendable (ConfigurationFile) -> Bool
  /// Reads the configuration at a path; throws, and changes nothing, where it is invalid.
  let read: @Sendable (String) throws -> RoleStart
  /// What `distro status` shows, by the configuration at a path; changes nothing, and makes nothing.
  let status: @Sendable (String) throws -> RoleStatus
  /// What `distro doctor` looks at besides key and state, by the configuration at a path.
  let examine: @Sendable (String, inout Examination) throws -> Void
  /// What a new, empty state costs, for an operator who has to begin one.
  let afterNewState: String

  /// In the order in which they start: what others connect to is first.
  static let all: [Role] = [.relay, .signer, .hooks, .applier]

  /// `nil`: the file is none's, and so that of `distro serve`.
  static func of(_ file: ConfigurationFile) -> Role? { all.first { $0.recognizes(file) } }
}

/// A role that a process plays, and the configuration that says how.
struct ConfiguredRole: Sendable {
  let role: Role
  let path: String
}

/// What a configuration that was read and found good can start.
struct RoleStart: Sendable {
  let make: @Sendable () throws -> any RoleService
  /// Hands the configuration to the role as it runs; `false`: the role has to be made anew.
  /// Throws, and changes nothing, where what the configuration names cannot be used.
  let adopt: @Sendable (any RoleService) throws -> Bool

  init(
    make: @escaping @Sendable () throws -> any RoleService,
    adopt: @escaping @Sendable (any RoleService) throws -> Bool = { _ in false }
  ) {
    self.make = make
    self.adopt = adopt
  }

  /// A part that no configuration names, until one does.
  static let idle = RoleStart {
    IdleService()
  } adopt: { running in
    running is IdleService
  }
}

/// It takes requests when it is made, or soon after `run` has begun, and works until it is told to stop.
///
/// `run` returns when the work in hand is done, however long that takes.
protocol RoleService: Service {
  /// Returns when it takes requests; throws `CancellationError` where that never comes.
  func waitUntilReady() async throws

  /// The program ends in a moment, with work in hand: what has to be noted for the next start. From any thread.
  func abandon() throws

  /// How late its loops are with their next turn. What may take long on purpose does not count: an applier's messages
  /// have a deadline of their own, and healing takes what it takes.
  var delay: Duration { get }
}

extension RoleService {
  func waitUntilReady() async throws {}
}

/// Does nothing until it is told to stop.
struct IdleService: RoleService {
  func run() async throws { try await gracefulShutdown() }

  func abandon() {}

  let delay = Duration.zero
}
