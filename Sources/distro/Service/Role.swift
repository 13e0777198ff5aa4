import ServiceLifecycle

/// The parts that this program can play in a process, in the order in which they start: what others connect to is first.
enum RoleName: String, CaseIterable { case relay, signer, applier }

/// A part, and the configuration that says how to play it.
struct Role: Sendable {
  let name: RoleName
  /// Reads the configuration anew; throws, and changes nothing, where it cannot be taken.
  let read: @Sendable () throws -> RoleStart
}

/// What a configuration that was read and found good can start.
struct RoleStart: Sendable {
  let make: @Sendable () throws -> any RoleService
  /// Hands the configuration to the role as it runs; `false`: the role has to be made anew.
  let adopt: @Sendable (any RoleService) -> Bool

  init(
    make: @escaping @Sendable () throws -> any RoleService,
    adopt: @escaping @Sendable (any RoleService) -> Bool = { _ in false }
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

/// It takes requests when it is made, and works until it is told to stop.
///
/// `run` returns when the work in hand is done, however long that takes.
protocol RoleService: Service {
  /// The program ends in a moment, with work in hand: what has to be noted for the next start. From any thread.
  func abandon() throws

  /// How late its socket loops are with their next turn. What may take long on purpose does not count: an applier's
  /// messages have a deadline of their own, and healing takes what it takes.
  var delay: Duration { get }
}

/// Does nothing until it is told to stop.
struct IdleService: RoleService {
  func run() async throws { try await gracefulShutdown() }

  func abandon() {}

  let delay = Duration.zero
}
