import ServiceLifecycle

/// One of the parts that this program can play in a process: relay, signer, applier.
struct Role: Sendable {
  /// What a configuration that was read and found good can start.
  typealias Start = @Sendable () throws -> any RoleService

  let name: String
  /// Reads the configuration anew; throws, and changes nothing, where it cannot be taken.
  let read: @Sendable () throws -> Start
}

/// What a role's `Start` makes: it takes requests when it is made, and works until it is told to stop.
///
/// `run` returns when the work in hand is done, however long that takes.
protocol RoleService: Service {
  /// The program ends in a moment, with work in hand: what has to be noted for the next start. From any thread.
  func abandon() throws
}

